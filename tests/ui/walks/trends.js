// Trends: charts with their numbers, and what pay is made from.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { NARROW, goTo, isAccessible, settled, theAdmin, walk } from '../lib/stage.js';

/** Does it; what the page is told then of these days, or of any. */
async function told(page, doIt, from = '', to = '') {
  const isIt = (url) => url.pathname === '/api/admin/trends' && (!from || (url.searchParams.get('from') === from && url.searchParams.get('to') === to));
  const [answer] = await Promise.all([page.waitForResponse((response) => isIt(new URL(response.url()))), doIt()]);
  await settled(page);
  return answer.json();
}

walk('four charts stand beside their numbers', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  const { days, teachers, pay } = await told(page, () => page.goto('/admin/trends')); // asked for again, a class may be over by then
  assert.equal(await page.locator('.chart canvas').count(), 4);
  const drawn = await page.locator('.chart canvas').evaluateAll((all) => all.map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((byte) => byte !== 0);
  }));
  assert.deepEqual(drawn, [true, true, true, true]);
  for (const summary of await page.getByText('Numbers as a table').all()) await summary.click();
  await isAccessible(page, 'trends with their tables');

  const from = new URL(page.url()).searchParams;
  assert.equal(from.size, 0);
  const table = (i) => page.locator('.chart').nth(i).locator('.scroll tbody tr');
  assert.equal(await table(0).count(), days.length);
  const last = days.at(-2);
  assert.deepEqual((await table(0).nth(days.length - 2).locator('td').allTextContents()).map((text) => Number(text.replace(/,/g, ''))), [last.classes, last.minutes, last.timeouts, last.missed]);
  assert.equal(await table(2).count(), teachers.length);
  assert.equal(await table(3).count(), 7);
  assert.equal(await page.locator('.pay tbody tr').count(), pay.length);
  assert.match(await page.locator('.pay tbody tr').first().textContent(), /\d+ min.*[A-Z]{3}/);
});

walk('a chart stays while the menu counts anew what needs attention', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  const counted = (n) => page.waitForFunction((text) => document.querySelector('nav .count').textContent === text, String(n));
  let total = 11;
  await page.route('**/api/admin/attention?limit=0', (route) => route.fulfill({ json: { total } })); // the true one changes by itself
  await page.goto('/admin/trends');
  await settled(page);
  await counted(11);
  const charts = await page.evaluateHandle(() => [...document.querySelectorAll('.chart canvas')]);
  total = 12;
  await page.evaluate(() => document.dispatchEvent(new Event('attention')));
  await counted(12);
  assert.deepEqual(await charts.evaluate((all) => all.map((canvas) => canvas.isConnected)), [true, true, true, true]);
});

walk('a period is an address, and pay is a CSV', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/trends' });
  await settled(page);
  await page.getByLabel('Period').selectOption('last_month');
  await page.waitForURL(/period=last_month/);
  await settled(page);
  const range = await page.locator('.range').textContent();
  await page.reload();
  await settled(page);
  assert.equal(await page.locator('.range').textContent(), range);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()]);
  assert.ok((await readFile(await download.path(), 'utf8')).startsWith('\ufeff"'));
  await goTo(page, '/admin/trends?from=2001-01-01&to=2001-01-31');
  await page.getByRole('heading', { name: 'No classes in these days' }).waitFor();
  await isAccessible(page, 'trends of nothing');
  await page.getByLabel('To', { exact: true }).fill('2000-12-31');
  await page.getByRole('alert').waitFor();
});

const day = (at) => at.toISOString().slice(0, 10);
const addDays = (from, n) => day(new Date(Date.parse(from) + n * 86_400_000));
const monthOf = new Intl.DateTimeFormat('en', { timeZone: 'UTC', month: 'long', year: 'numeric' });
const dayOf = new Intl.DateTimeFormat('en', { timeZone: 'UTC', month: 'short', day: 'numeric' });

/** A month's name, and below it its days where not all of them are counted. */
function named(month, from, to) {
  const first = `${month}-01`;
  const last = addDays(`${addDays(first, 31).slice(0, 7)}-01`, -1);
  const [a, b] = [[from, first].sort()[1], [to, last].sort()[0]];
  const days = a === b ? dayOf.format(new Date(a)) : `${dayOf.format(new Date(a))} – ${dayOf.format(new Date(b))}`;
  return a === first && b === last ? monthOf.format(new Date(first)) : `${monthOf.format(new Date(first))} ${days}`;
}

walk('a row of pay that is of a part of a month says of which', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/trends' });
  const { from, to: today } = await theAdmin().get('/api/admin/trends');
  const end = addDays(`${today.slice(0, 7)}-01`, -1);
  const first = `${end.slice(0, 7)}-01`;
  /** The months at an address as they read, and as the page is told. */
  const months = async (target, a, b) => {
    const { pay } = await told(page, () => goTo(page, target), a, b);
    const shown = (await page.locator('.pay .c-month').allTextContents()).map((text) => text.replace(/\s+/g, ' ').trim());
    return [shown, pay.map(({ month }) => month)];
  };

  const [whole] = await months('/admin/trends?period=last_month', first, end);
  assert.deepEqual([...new Set(whole)], [monthOf.format(new Date(first))]);
  for (const [a, b] of [[addDays(first, 1), end], [first, addDays(end, -1)], [addDays(first, 6), addDays(first, 6)], [addDays(first, -20), addDays(today, 40)]]) {
    const [shown, asked] = await months(`/admin/trends?from=${a}&to=${b}`, a, b);
    assert.deepEqual(shown, asked.map((month) => named(month, a, b < today ? b : today)), `${a} ${b}`);
  }
  const [shown, asked] = await months('/admin/trends', from, today);
  assert.deepEqual(shown, asked.map((month) => named(month, from, today)));
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()]);
  assert.equal(download.suggestedFilename(), `pay-${from}-to-${today}.csv`);
});

walk('days that the server refuses have no numbers', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/trends' });
  await settled(page);
  await page.getByLabel('Period').selectOption('custom');
  await page.getByLabel('From', { exact: true }).fill('2001-01-01');
  await page.getByRole('alert').getByText('Ask for at most 400 days.').waitFor();
  assert.equal(await page.locator('.chart, .pay').count(), 0);
});

walk('a day is typed by keys, also over one that the month does not have', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/trends?from=2024-10-31&to=2024-11-05' });
  const from = page.getByLabel('From', { exact: true });
  const asked = [];
  page.on('request', (request) => request.url().includes('?') && asked.push(new URL(request.url()).searchParams.get('from')));
  const type = async () => {
    await settled(page);
    await from.focus();
    await page.keyboard.type('02');
    assert.ok(await from.evaluate(({ validity }) => validity.badInput), 'the 31st of February');
    assert.match(page.url(), /from=2024-10-31/);
  };
  await type();
  await page.keyboard.type('28');
  await page.waitForURL(/from=2024-02-28/);
  await settled(page);
  assert.equal(await from.inputValue(), '2024-02-28');
  assert.deepEqual([...new Set(asked)].filter((day) => day > '2024-10-31'), [], 'of no days that nobody chose');

  // In the list of sessions, which is asked for again meanwhile, and whose names to choose from come late.
  const names = new Promise((resolve) => page.route('**/api/admin/students', resolve));
  await page.goto('/admin/?period=custom&from=2024-10-31&to=2024-11-05');
  await type();
  const route = await names;
  const [answer] = await Promise.all([page.waitForResponse('**/api/admin/students'), route.fallback()]);
  const { students } = await answer.json();
  await page.waitForFunction((n) => document.querySelector('[name=student_id]').options.length > n, students.length);
  await page.keyboard.type('28');
  await page.waitForURL(/from=2024-02-28/);
  assert.equal(await from.inputValue(), '2024-02-28');

  // Emptied part by part, from the year on, and left, it is empty.
  for (const key of ['Backspace', 'ArrowLeft', 'Backspace', 'ArrowLeft', 'Backspace', 'Shift+Tab']) await page.keyboard.press(key);
  await page.waitForURL((url) => !url.searchParams.has('from') && url.searchParams.has('to'));
});

walk('more rows of pay than the page gets are said to be in the CSV', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/trends' });
  const note = page.locator('.pay').getByRole('status');
  await settled(page);
  assert.equal(await note.count(), 0);
  await page.route('**/api/admin/trends?*', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...await response.json(), more: true } });
  });
  await page.reload();
  await settled(page);
  assert.match(await note.textContent(), /CSV/);
  await isAccessible(page, 'trends of more than is shown');
});

walk('another period has no numbers before its answer, and none without', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/trends' });
  await settled(page);
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  await page.route('**/api/admin/trends?*', async (route) => {
    await gate;
    await route.abort();
  });
  await page.getByLabel('Period').selectOption('last_month');
  await page.waitForURL(/period=last_month/);
  await page.locator('.charts[aria-busy=true]').waitFor();
  assert.equal(await page.locator('.chart, .pay').count(), 0);
  go();
  await page.getByRole('alert').getByText('No connection to the server.').waitFor();
  assert.equal(await page.locator('.chart, .pay').count(), 0);
  await page.unroute('**/api/admin/trends?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.pay tbody tr').first().waitFor();
});

/** Columns beside each other, none beyond the edge of a sheet of A4. */
async function fitsASheet(page, table) {
  const { display, right } = await table.evaluate((shown) => ({
    display: getComputedStyle(shown).display,
    right: Math.max(...[...shown.querySelectorAll('th, td')].map((cell) => cell.getBoundingClientRect().right)),
  }));

  assert.equal(display, 'table');
  assert.ok(right <= page.viewportSize().width, `${right} px`);
}

walk('printing shows the tables and leaves the menus away', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/trends' });
  await settled(page);
  await page.emulateMedia({ media: 'print' });
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.equal(await page.locator('.chart details[open]').count(), 4);
  assert.equal(await page.locator('header.bar').isVisible(), false);
  assert.ok((await page.pdf({ format: 'A4' })).length > 10_000);
  await page.setViewportSize({ width: 718, height: 1000 });
  await fitsASheet(page, page.locator('.pay table'));
  await page.goto('/admin/');
  await settled(page);
  await fitsASheet(page, page.locator('table.sessions'));
});

walk('charts of a turned phone and of other colours are as if they had begun so', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '', size: { width: 900, height: 420 } });
  const pictures = () => page.locator('.chart canvas').evaluateAll((all) => all.map((canvas) => canvas.toDataURL()));
  const asBegun = async (what) => {
    const shown = await pictures();
    await page.reload();
    await settled(page);
    assert.deepEqual((await pictures()).map((picture, i) => picture === shown[i]), [true, true, true, true], what);
  };

  let body;
  await page.route('**/api/admin/trends?*', async (route) => { // the same to all: a class may end meanwhile
    body ??= await (await route.fetch()).text();
    await route.fulfill({ contentType: 'application/json', body });
  });
  await page.goto('/admin/trends');
  await settled(page);
  await page.setViewportSize(NARROW);
  await page.waitForFunction(() => [...document.querySelectorAll('.plot')].every((plot) => plot.clientWidth < 360 && plot.querySelector('canvas').clientWidth === plot.clientWidth));
  await asBegun('turned');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
  await asBegun('dark');
});
