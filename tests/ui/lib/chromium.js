// Debian's browser, and how it is started.

export const CHROMIUM = '/usr/bin/chromium-headless-shell'; // the engine without the browser's own windows, which are pages too
// As root Chromium has no sandbox; the rest keeps it from calling out.
export const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
