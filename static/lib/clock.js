// The server's clock, kept by the browser's monotonic one: a wrong wall clock changes nothing.

let server = Date.now();
let mono = performance.now();
let wall = Date.now();
let known = false;

/** @type {Set<() => void>} */
const tickers = new Set();
/** @type {Set<() => void>} */
const jumpers = new Set();

/**
 * Takes the server's word for the time.
 * @param {string} iso
 * @param {number} [asked] performance.now() when the question left: the answer is half as old
 */
export function sync(iso, asked = performance.now()) {
  const got = performance.now();
  const time = Date.parse(iso);

  if (Number.isNaN(time)) return;
  server = time + (got - asked) / 2;
  mono = got;
  wall = Date.now();
  known = true;
}

/** The server's time in milliseconds. */
export function now() {
  return server + (performance.now() - mono);
}

/** Calls back once a second of the server's clock. @param {() => void} fn */
export function onTick(fn) {
  tickers.add(fn);
  return () => tickers.delete(fn);
}

/** Calls back when wall and monotonic clock part: the machine slept, so ask the server. @param {() => void} fn */
export function onJump(fn) {
  jumpers.add(fn);
  return () => jumpers.delete(fn);
}

function tick() {
  const drift = Date.now() - wall - (performance.now() - mono);

  if (known && Math.abs(drift) > 2000) {
    wall = Date.now() - (performance.now() - mono);
    for (const fn of jumpers) fn();
  }
  for (const fn of tickers) fn();
  setTimeout(tick, 1000 - (now() % 1000));
}
setTimeout(tick, 1000 - (now() % 1000));
