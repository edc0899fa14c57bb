// Run by tests/bench/bench_pages.py: measures the pages and prints a table. --quick: one run of one page each.

import { chromium } from 'playwright-core';
import { Instance, freePort } from './lib/instance.js';
import { CHROMIUM, FLAGS } from './lib/chromium.js';

const QUICK = process.argv.includes('--quick');
const RUNS = QUICK ? 1 : 5;
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

/** Every row of the answer a minute longer: the most that a refresh can change. */
async function changeAll(route) {
  const response = await route.fetch();
  const list = await response.json();

  for (const session of list.sessions) session.session_duration_minutes += 1;
  await route.fulfill({ response, json: list });
}

/** Milliseconds of each task of the page's main thread in a trace. */
function tasksOf(trace) {
  const { traceEvents } = JSON.parse(trace.toString());
  const main = traceEvents.filter((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`);
  return traceEvents.filter((e) => e.name === 'RunTask' && e.dur && main.includes(`${e.pid} ${e.tid}`)).map(({ dur }) => dur / 1000);
}

/** What one refresh of 200 rows costs the main thread: the longest of its tasks, and the page's own work in all. */
async function refresh(browser, app, cookie, change) {
  const page = await openAs(browser, app, cookie, { viewport: { width: 1366, height: 768 } });
  const client = await page.context().newCDPSession(page);
  const work = async () => {
    const { metrics } = await client.send('Performance.getMetrics');
    return ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'].reduce((sum, part) => sum + metrics.find(({ name }) => name === part).value * 1000, 0);
  };

  await client.send('Performance.enable');
  await page.goto('/admin/?period=all&limit=200');
  await page.waitForFunction(() => document.querySelectorAll('tbody a').length === 200);
  await page.waitForLoadState('networkidle');
  if (change) await page.route(/limit=200/, changeAll);
  await browser.startTracing(page, { categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline'] });
  const before = await work();
  const answer = page.waitForResponse((response) => response.url().includes('limit=200'));
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await (await answer).finished();
  // Let what follows from it be drawn.
  await page.evaluate(() => new Promise((done) => setTimeout(() => requestIdleCallback(done), 300)));
  const spent = (await work()) - before;
  const longest = Math.max(...tasksOf(await browser.stopTracing()));
  await page.context().close();
  return [longest, spent];
}

const app = await Instance.open();
const port = await freePort();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, `--remote-debugging-port=${port}`] });
try {
  const admin = await signIn(app, app.admin);
  const teacher = await signIn(app, app.teacher);

  console.log('Lighthouse, mobile, median of', RUNS);
  console.log('page       performance  accessibility  best practices');
  const pages = [['sessions', '/admin/', admin], ['sign-in', '/', ''], ['teacher', '/teacher/', teacher]];
  for (const [name, path, cookie] of QUICK ? pages.slice(0, 1) : pages) {
    const [fast, fair, good] = await medians(RUNS, () => scores(app.url + path, cookie, port));
    console.log(name.padEnd(10), String(fast).padStart(11), String(fair).padStart(14), String(good).padStart(15));
  }
  const [first] = await medians(RUNS, () => firstRows(browser, app, admin));
  console.log(`sessions on a slow phone, rows to read after ${ms(first)}`);
  for (const [change, what] of [[true, 'all of them'], [false, 'none of them']].slice(0, QUICK ? 1 : 2)) {
    const [longest, spent] = await medians(RUNS, () => refresh(browser, app, admin, change));
    console.log(`a refresh of 200 rows that changes ${what} holds the main thread for at most ${ms(longest)} at a time; the page works ${ms(spent)} for it`);
  }
} finally {
  await browser.close();
  await app.close();
}
