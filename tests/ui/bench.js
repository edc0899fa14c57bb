// Run by tests/bench/bench_pages.py: measures the pages and prints a table. --quick: one run each.

import { chromium } from 'playwright-core';
import { Instance, freePort } from './lib/instance.js';
import { CHROMIUM, FLAGS } from './lib/chromium.js';

const RUNS = process.argv.includes('--quick') ? 1 : 5;
const { default: lighthouse } = await import(process.env.LIGHTHOUSE);
// A slow phone on a slow line, as Lighthouse has it: a quarter of this machine's speed, 150 ms, 1.6 Mbit/s.
const SLOWER = 4;
const LINE = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 };

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const ms = (number) => `${Math.round(number)} ms`;

/** @param {number} times @param {() => Promise<number[]>} measure the median of each number */
async function medians(times, measure) {
  const runs = [];
  for (let i = 0; i < times; i++) runs.push(await measure());
  return runs[0].map((_, i) => median(runs.map((run) => run[i])));
}

async function signIn(app, { email, password }) {
  const client = app.client();
  await client.post('/api/auth/login', { email, password });
  return client.cookie;
}

async function scores(url, cookie, port) {
  const result = await lighthouse(url, {
    port, logLevel: 'error', onlyCategories: ['performance', 'accessibility', 'best-practices'],
    extraHeaders: cookie ? { Cookie: cookie } : undefined,
  });
  return ['performance', 'accessibility', 'best-practices'].map((name) => Math.round(result.lhr.categories[name].score * 100));
}

async function openAs(browser, app, cookie, options) {
  const context = await browser.newContext({ baseURL: app.url, ...options });
  const [name, value] = cookie.split('=');
  await context.addCookies([{ name, value, url: app.url }]);
  return context.newPage();
}

/** Notes when rows are painted. In the page, which it must not hold up: no polling, no tools of the tests. */
function watchForRows() {
  new MutationObserver((_, observer) => {
    if (!document.querySelector('tbody a')) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.rowsAt = performance.now())));
  }).observe(document, { childList: true, subtree: true });
}

/** Milliseconds from a tap on the address to rows that can be read and used. */
async function firstRows(browser, app, cookie) {
  const page = await openAs(browser, app, cookie, { viewport: { width: 360, height: 640 }, isMobile: true });
  const client = await page.context().newCDPSession(page);

  await client.send('Network.enable');
  await client.send('Network.emulateNetworkConditions', LINE);
  await client.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await page.addInitScript(watchForRows);
  await page.goto('/admin/');
  const at = await (await page.waitForFunction(() => window.rowsAt)).jsonValue();
  await page.context().close();
  return [at];
}

/** Milliseconds for which one refresh of 200 rows holds the main thread. */
async function refresh(browser, app, cookie) {
  const page = await openAs(browser, app, cookie, { viewport: { width: 1366, height: 768 } });
  const client = await page.context().newCDPSession(page);
  const busy = async () => (await client.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value * 1000;

  await client.send('Performance.enable');
  await page.goto('/admin/?period=all&limit=200');
  await page.waitForFunction(() => document.querySelectorAll('tbody a').length === 200);
  await page.waitForLoadState('networkidle');
  const before = await busy();
  const answer = page.waitForResponse((response) => response.url().includes('limit=200'));
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await (await answer).finished();
  await page.waitForLoadState('networkidle');
  const spent = (await busy()) - before;
  await page.context().close();
  return [spent];
}

const app = await Instance.open();
const port = await freePort();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, `--remote-debugging-port=${port}`] });
try {
  const admin = await signIn(app, app.admin);
  const teacher = await signIn(app, app.teacher);

  console.log('Lighthouse, mobile, median of', RUNS);
  console.log('page       performance  accessibility  best practices');
  for (const [name, path, cookie] of [['sign-in', '/', ''], ['sessions', '/admin/', admin], ['teacher', '/teacher/', teacher]]) {
    const [fast, fair, good] = await medians(RUNS, () => scores(app.url + path, cookie, port));
    console.log(name.padEnd(10), String(fast).padStart(11), String(fair).padStart(14), String(good).padStart(15));
  }
  const [first] = await medians(RUNS, () => firstRows(browser, app, admin));
  console.log(`sessions on a slow phone, rows to read after ${ms(first)}`);
  const [spent] = await medians(RUNS, () => refresh(browser, app, admin));
  console.log(`a refresh of 200 rows holds the main thread for ${ms(spent)}`);
} finally {
  await browser.close();
  await app.close();
}
