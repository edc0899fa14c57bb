// What every walk stands on: one instance, one browser, people of its own.

import assert from 'node:assert/strict';
import { readFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { randomInt, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { CHROMIUM, FLAGS } from './chromium.js';
import { Instance } from './instance.js';
import { meet } from './zoom.js';

export const SHOTS = fileURLToPath(new URL('../shots', import.meta.url));
export const ZOOM_URL = 'https://us02web.zoom.us/j/8123456789?pwd=Zm9vYmFy.1';
export const PASSWORD = 'a quiet river 7';
export const WIDE = { width: 1366, height: 768 };
export const NARROW = { width: 360, height: 640 };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @type {Instance} */
export let app;
let browser;
let admin;
let numbers = 0;

before(async () => {
  await mkdir(SHOTS, { recursive: true });
  app = await Instance.open();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  admin = app.client();
  await admin.post('/api/auth/login', app.admin);
});

after(async () => {
  await browser?.close();
  await app?.close();
});

/** The admin's own HTTP client. */
export const theAdmin = () => admin;

/** A new teacher who has accepted the invitation. */
export async function makeTeacher(name = `Teacher ${++numbers}`) {
  const email = `walk-${randomUUID()}@example.org`;
  const { id, invite_url } = await admin.post('/api/admin/teachers', { name, email });
  const client = app.client();

  await client.post('/api/auth/accept-invite', { token: invite_url.split('#')[1], password: PASSWORD });
  return { id, name, email, password: PASSWORD, client };
}

export function makeStudent(teacher, name = `Student ${++numbers}`, more = {}) {
  return admin.post('/api/admin/students', { name, teacher_id: teacher.id, package_id: 'Europe', ...more });
}

/** A class sent to the student; the answer of send-link. */
export function send(teacher, student) {
  return teacher.client.post('/api/teacher/send-link', { student_id: student.id, zoom_url: ZOOM_URL, request_id: randomUUID() });
}

/** What the database was too slow for just then waits in the journal: it comes into the rows before the walk goes on. */
export async function replayed() {
  const until = Date.now() + 2 * MINUTE;
  if (!app.restartable) return;
  while ((await app.client().request('GET', '/healthz')).json?.journal?.files) {
    assert.ok(Date.now() < until, 'the journal is never empty');
    await app.job('journal-replay').catch(() => null); // the database may still be slow
  }
}

/** The student taps the button. */
export async function click({ join_url }) {
  const { status } = await app.client().request('GET', join_url, undefined, {
    'User-Agent': 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36',
    'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', Accept: 'text/html',
  });
  assert.equal(status, 302);
  await replayed();
}

/** A class that ran for half an hour, and a meeting of that time on a link of another number. */
export async function stray() {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher, `Stray ${randomUUID()}`);
  const sent = await send(teacher, student);
  await click(sent);
  await app.age(sent.session.id, '30 minutes');
  const id = String(randomInt(8e10, 9e10));
  const { session } = await admin.get(`/api/admin/session-events?session_id=${sent.session.id}`);
  const opened = Date.parse(session.clicked_at); // not "half an hour ago": the walk may be slow
  await meet(app, { id, host: randomUUID(), began: opened + MINUTE, ended: opened + 25 * MINUTE });
  return { teacher, student, id, session: sent.session.id };
}

/** Whom each page's browser belongs to, and what went wrong in it. */
const troubles = new WeakMap();

/**
 * A browser window. who: nobody, or a client that is signed in.
 * @returns {Promise<import('playwright-core').Page>}
 */
export async function open(t, { who, size = WIDE, lang = 'en', theme = 'light', path: target = '/', ...more } = {}) {
  const context = await browser.newContext({
    viewport: size, locale: lang, colorScheme: theme, baseURL: app.url, hasTouch: size.width < 500, isMobile: size.width < 500, reducedMotion: 'reduce', ...more,
  });
  t.after(async () => {
    // A request may be held by a route just then, as of a page that asks anew by itself.
    for (const page of context.pages()) await page.unrouteAll({ behavior: 'ignoreErrors' });
    await context.close();
  });
  if (who) {
    const [name, value] = who.cookie.split('=');
    await context.addCookies([{ name, value, url: app.url }]);
  }
  const page = await context.newPage();
  const trouble = [];

  troubles.set(page, trouble);
  page.setDefaultTimeout(60_000); // what is waited for comes; how soon is another question, and a slow machine's
  page.on('pageerror', (error) => trouble.push(String(error.stack)));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted|Refused to/.test(message.text())) trouble.push(message.text());
  });
  page.on('dialog', (dialog) => {
    trouble.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  if (target) await page.goto(target);
  return page;
}

/** What begins now ends on the same day of the academy. */
async function longBeforeMidnight() {
  const left = 24 * HOUR - ((Date.now() + 3 * HOUR) % (24 * HOUR)); // in Addis Ababa it is UTC and three hours
  if (left < 2 * MINUTE) await new Promise((done) => { setTimeout(done, left); });
}

/** A test in which no script may fail and no policy be broken. */
export function walk(name, fn) {
  test(name, { timeout: 15 * MINUTE }, async (t) => { // what hangs is told, and the others go on
    const pages = [];
    await longBeforeMidnight();
    await fn(t, async (options) => {
      const page = await open(t, options);
      pages.push(page);
      return page;
    });
    for (const page of pages) assert.deepEqual(troubles.get(page), []);
  });
}

/** Nothing is loading any more. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('[aria-busy=true], i.skeleton'));
}

/** As Back and Forward go: the page stays, which is quicker than to load it anew. For pages that are busy while they ask. */
export const goTo = (page, address) => page.evaluate((to) => {
  history.pushState(null, '', to);
  dispatchEvent(new PopStateEvent('popstate'));
}, address);

/** The same page in another language, as somebody chooses it. */
export async function speak(page, lang) {
  await page.evaluate((tag) => localStorage.setItem('language', tag), lang);
  await page.reload();
}

/** What the page asks to change from now on: the bodies, as they leave. */
export function changesOf(page) {
  const bodies = [];
  page.on('request', (request) => request.method() === 'PATCH' && bodies.push(request.postDataJSON()));
  return bodies;
}

/** axe finds nothing on what is shown. */
export async function isAccessible(page, what = page.url()) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary}`).join('\n  ')}`);
  assert.deepEqual(found, [], `axe on ${what}:\n${found.join('\n')}`);
}

/** The page is no wider than its window. */
export async function fits(page, what = page.url()) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${what} is ${over} px too wide`);
}

/** A picture for somebody to look at, where CLASSCLOCK_SHOTS asks for them. */
export async function shot(page, name, options) {
  if (process.env.CLASSCLOCK_SHOTS) await page.screenshot({ path: path.join(SHOTS, `${name}.png`), ...options });
}

/** The rows of the table of sessions as they read. */
export function rows(page) {
  return page.locator('table.sessions tbody tr').evaluateAll((trs) =>
    trs.map((tr) => Object.fromEntries([...tr.children].map((cell) => [cell.className.replace('c-', ''), cell.textContent.trim()]))));
}
