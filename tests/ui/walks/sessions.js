// The admin's table: columns, filters in the address, paging, export, the auto-timeout.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { app, click, goTo, isAccessible, makeStudent, makeTeacher, rows, send, settled, theAdmin, walk } from '../lib/stage.js';

const LABELS = { sent: 'Sent', active: 'Active', ended: 'Ended', timeout: 'Timeout', missed: 'Missed', cancelled: 'Cancelled' };

/** How many rows a filter has, by the API. */
async function count(query) {
  const { totals } = await theAdmin().get(`/api/admin/teacher-sessions?limit=1&${query}`);
  const { minutes, ...counts } = totals;
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}

walk('the table tells the mission: who, what, when, how long, how it ended', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/' });
  await settled(page);
  assert.deepEqual(await page.locator('table.sessions thead th').allTextContents(), ['Teacher', 'Student', 'Package', 'Sent', 'Start', 'End', 'Duration', 'Status', 'Ended by']);
  for (const [status, label] of Object.entries(LABELS)) {
    await goTo(page, `/admin/?period=all&status=${status}`);
    await settled(page);
    const shown = await rows(page);
    assert.ok(shown.length > 0, `the demo has sessions that are ${status}`);
    assert.ok(shown.every((row) => row.status === label), status);
    const badge = page.locator('.badge').first();
    assert.equal(await badge.locator('svg').count(), 1, 'a shape beside the words');
    const [red, green, blue] = (await badge.evaluate((e) => getComputedStyle(e).color)).match(/\d+/g).map(Number);
    if (status === 'active') assert.ok(green > red && green > blue, 'active is green');
    if (status === 'ended') assert.ok(blue > red && blue > green, 'ended is blue');
    if (status === 'timeout') assert.ok(red > green && red > blue, 'timeout is red');
    if (status === 'timeout') assert.ok(shown.some((row) => row.duration.includes('estimated')));
  }
});

walk('a filter is an address: it survives a reload, the way back and another browser', async (t, open) => {
  const { sessions } = await theAdmin().get('/api/admin/teacher-sessions?limit=200&status=ended');
  const busy = String(sessions.at(-1).teacher.id);
  const page = await open({ who: theAdmin(), path: '/admin/' });
  await settled(page);
  await page.getByLabel('Status').selectOption('ended');
  await page.waitForURL('**/admin/?status=ended');
  await settled(page);
  await page.getByLabel('Period').selectOption('all');
  await page.waitForURL(/period=all/);
  await page.getByRole('combobox', { name: 'Teacher', exact: true }).selectOption(busy);
  await page.waitForURL(/teacher_id=\d+/);
  await settled(page);
  const address = page.url();
  const shown = await rows(page);
  assert.ok(shown.length > 0);
  assert.ok(shown.every((row) => row.status === 'Ended' && row.teacher === shown[0].teacher));

  await page.reload();
  await settled(page);
  assert.deepEqual(await rows(page), shown);
  const friend = await open({ who: theAdmin(), path: address });
  await settled(friend);
  assert.deepEqual(await rows(friend), shown);
  assert.equal(await friend.getByLabel('Status').inputValue(), 'ended');

  await page.goBack();
  await page.waitForURL((url) => !url.searchParams.has('teacher_id'));
  await page.waitForFunction(() => new Set([...document.querySelectorAll('tbody .c-teacher')].map((e) => e.textContent)).size > 1);
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await page.waitForURL('**/admin/');
});

walk('days, students and parts of names narrow the list as the API counts them', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/' });
  const { sessions } = await theAdmin().get('/api/admin/teacher-sessions?limit=200&status=ended');
  const one = sessions[120];
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Africa/Addis_Ababa' }).format(new Date(one.clicked_at));
  const summary = async (n) => page.locator('.summary').getByText(new RegExp(`^${n.toLocaleString('en')} sessions?$`)).waitFor();

  await page.goto(`/admin/?from=${day}&to=${day}`);
  await summary(await count(`date=${day}`));
  assert.equal(await page.getByLabel('From', { exact: true }).inputValue(), day);
  await page.goto(`/admin/?date=${day}`);
  await summary(await count(`date=${day}`));

  await page.goto('/admin/?period=all');
  await settled(page);
  await page.getByRole('combobox', { name: 'Student', exact: true }).selectOption(String(one.student.id));
  await summary(await count(`student_id=${one.student.id}`));
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await page.getByLabel('Period').selectOption('all');
  const part = one.student.name.split(' ')[0].slice(1).toUpperCase();
  await page.getByLabel('Search').fill(part);
  await page.waitForURL((url) => url.searchParams.get('q') === part);
  await summary(await count(`q=${encodeURIComponent(part)}`));
  await page.getByLabel('Search').fill('nobody has such a name');
  await page.getByRole('heading', { name: 'No session fits' }).waitFor();
  await isAccessible(page, 'no session fits');
});

walk('the cards count now and today, and lead there', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/' });
  await settled(page);
  const running = await count('status=active');
  assert.equal(await page.locator('.card.running strong').textContent(), String(running));
  await page.locator('.card.running').click();
  await page.waitForURL(/status=active/);
  await settled(page);
  assert.equal((await rows(page)).length, running);
});

walk('a card’s number is that of the list it leads to, also when a link of today was missed', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { link_hours } = await theAdmin().get('/api/admin/settings');
  t.after(() => theAdmin().patch('/api/admin/settings', { link_hours }));
  await theAdmin().patch('/api/admin/settings', { link_hours: 1 });
  const teacher = await makeTeacher();
  const { session } = await send(teacher, await makeStudent(teacher));
  await app.age(session.id, '61 minutes');
  await theAdmin().post('/api/admin/auto-timeout');
  await send(teacher, await makeStudent(teacher));
  // In the hour after midnight the missed one is yesterday's.
  assert.equal(await count(`student_id=${session.student.id}&status=missed`), 1);
  const page = await open({ who: theAdmin(), path: '/admin/' });
  await settled(page);
  for (const card of ['running', 'today', 'timeouts', 'unopened']) {
    await goTo(page, await page.locator(`.card.${card}`).getAttribute('href'));
    await settled(page);
    const [told, listed] = await page.evaluate((name) => [`.card.${name} strong`, '.summary'].map((of) => document.querySelector(of).textContent), card);
    assert.match(listed, new RegExp(`^${told} session`), card);
  }
});

walk('paging shows every session once', async (t, open) => {
  const total = await count('');
  const page = await open({ who: theAdmin(), path: '/admin/?period=all&limit=200' });
  const seen = new Set();
  let pages = 0;

  for (;;) {
    await settled(page);
    const links = await page.locator('tbody a').evaluateAll((as) => as.map((a) => new URL(a.href).searchParams.get('session')));
    for (const id of links) {
      assert.ok(!seen.has(id), `session ${id} is shown twice`);
      seen.add(id);
    }
    pages++;
    const older = page.getByRole('button', { name: 'Older' });
    if (await older.isDisabled()) break;
    const before = page.url();
    await older.click();
    await page.waitForURL((url) => url.href !== before);
    await page.waitForFunction((first) => document.querySelector('tbody a') && !document.querySelector('tbody a').href.includes(`session=${first}`), links[0]);
  }
  // Classes that other walks send meanwhile are newer than the first page.
  assert.ok(seen.size >= total - 200 && seen.size >= 200, `${seen.size} of ${total}`);
  assert.equal(seen.size >= total, true);
  await page.getByText(`Page ${pages}`).waitFor();
  await page.getByRole('button', { name: 'Newer' }).click();
  await page.getByText(`Page ${pages - 1}`).waitFor();
});

walk('the keyboard goes through the rows', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/?period=all' });
  await settled(page);
  const focused = () => page.evaluate(() => [...document.querySelectorAll('tbody a')].indexOf(document.activeElement));
  await page.locator('tbody a').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 2);
  await page.keyboard.press('ArrowUp');
  assert.equal(await focused(), 1);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Evidence' }).waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.activeElement === document.querySelectorAll('tbody a')[1]);
});

walk('one click exports exactly the filter', async (t, open) => {
  const n = await count('status=timeout');
  const page = await open({ who: theAdmin(), path: '/admin/?period=all&status=timeout' });
  await settled(page);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()]);
  assert.equal(download.suggestedFilename(), 'sessions.csv');
  const csv = await readFile(await download.path(), 'utf8');
  const lines = csv.trimEnd().split('\r\n');

  assert.ok(csv.startsWith('\ufeff"'), 'UTF-8 with BOM');
  assert.equal(lines.length - 1, n);
  assert.ok(lines.slice(1).every((line) => line.includes('"timeout"')));
});

walk('an export is named by its days, and a double click asks for one', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/?from=2026-02-01&to=2026-02-28' });
  await settled(page);
  const names = [];
  page.on('download', (download) => names.push(download.suggestedFilename()));
  await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).dblclick()]);
  await page.waitForTimeout(1000); // for a second one
  assert.deepEqual(names, ['sessions-2026-02-01-to-2026-02-28.csv']);
});

const BACKWARDS = { en: 'The first day lies after the last one.', ar: 'اليوم الأول بعد اليوم الأخير.', am: 'የመጀመሪያው ቀን ከመጨረሻው ቀን በኋላ ነው።' };
for (const [lang, said] of Object.entries(BACKWARDS))
  walk(`days the wrong way round are refused at the field, in ${lang}`, async (t, open) => {
    const page = await open({ who: theAdmin(), path: '/admin/?from=2026-01-01&to=2026-01-31', lang });
    const wrong = [];
    page.on('request', (request) => /from=2026-02-01/.test(request.url()) && /api/.test(request.url()) && wrong.push(request.url()));
    await settled(page);
    await page.locator('.summary strong').waitFor();
    await page.locator('[name=from]').fill('2026-02-01');
    await page.locator('[name=from][aria-describedby=days-error]').waitFor();
    assert.equal(await page.getByRole('alert').textContent(), said);
    assert.equal(await page.locator('.summary strong, .pager, table.sessions').count(), 0);
    assert.equal(await page.locator('.tools a').count(), 0);
    assert.ok(await page.locator('.tools button').first().isDisabled());
    if (lang === 'en') await isAccessible(page, 'days the wrong way round');
    await page.goto('/admin/trends?from=2026-02-01&to=2026-01-31');
    await page.getByRole('alert').getByText(said, { exact: true }).waitFor();
    assert.equal(await page.locator('.chart, .pay, [aria-busy=true]').count(), 0);
    if (lang === 'en') await isAccessible(page, 'trends of days the wrong way round');
    assert.deepEqual(wrong, [], 'nobody was asked');
    if (lang !== 'en') return; // the way out is the same
    await page.goto('/admin/?from=2026-02-01&to=2026-01-31');
    await page.getByRole('alert').getByText(said, { exact: true }).waitFor();
    await page.locator('[name=to]').fill('2026-02-01');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await settled(page);
    await page.locator('.summary strong').waitFor();
  });

walk('a filter that the server refuses has no totals and no export', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/' });
  await settled(page);
  await page.route('**/api/admin/teacher-sessions?*status=ended*', (route) => route.fulfill({ status: 400, contentType: 'application/problem+json', body: '{"title":"no","status":400,"detail":"Not so."}' }));
  await page.getByLabel('Status').selectOption('ended');
  await page.getByRole('alert').getByText('Not so.').waitFor();
  assert.equal(await page.locator('.summary strong').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Export CSV' }).count(), 0);
  assert.ok(await page.getByRole('button', { name: 'Export CSV' }).isDisabled());
});

walk('another filter has no totals before its answer, and a refresh keeps them', async (t, open) => {
  const teacher = await makeTeacher();
  await send(teacher, await makeStudent(teacher));
  const page = await open({ who: theAdmin(), path: `/admin/?teacher_id=${teacher.id}` });
  await settled(page);
  const LIST = /teacher-sessions\?.*teacher_id/;
  const summary = page.locator('.summary strong');
  assert.equal(await summary.textContent(), '1 session');
  let go;
  const hold = async (ask, then) => {
    const gate = new Promise((resolve) => (go = resolve));
    await page.route(LIST, async (route) => {
      await gate;
      await then(route);
    });
    const asked = page.waitForRequest(LIST);
    await ask();
    await asked;
  };
  await hold(() => page.evaluate(() => dispatchEvent(new Event('online'))), (route) => route.fallback());
  assert.equal(await summary.textContent(), '1 session');
  go();
  await page.unroute(LIST);
  await settled(page);

  await hold(() => page.getByLabel('Status').selectOption('ended'), (route) => route.abort());
  assert.equal(await summary.count(), 0);
  await page.locator('tbody.stale').waitFor();
  go();
  await page.getByText('No connection to the server.').waitFor();
  assert.equal(await summary.count(), 0);
  await page.unroute(LIST);
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByRole('heading', { name: 'No session fits' }).waitFor();
  assert.equal(await summary.textContent(), '0 sessions');

  await hold(() => page.getByLabel('Status').selectOption('sent'), (route) => route.fallback());
  assert.equal(await page.getByRole('heading', { name: 'No session fits' }).count(), 0);
  go();
  await page.locator('tbody a').waitFor();
});

walk('no page of the filter before is asked for with the new one', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/?period=all' });
  await settled(page);
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  await page.route('**/api/admin/teacher-sessions?*status=ended*', async (route) => {
    await gate;
    await route.fallback();
  });
  await page.getByLabel('Status').selectOption('ended');
  await page.locator('tbody.stale').waitFor();
  await page.getByRole('button', { name: 'Older' }).click();
  go();
  await settled(page);
  assert.doesNotMatch(page.url(), /cursor=/);
  await page.getByRole('button', { name: 'Older' }).click();
  await page.waitForURL(/cursor=/);
});

walk('a filter chosen before it is known who is there shows nothing but its own', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  const ways = {};
  for (const [name, address] of [['me', '**/api/auth/me'], ['list', '**/api/admin/teacher-sessions?*status=cancelled*']]) {
    const gate = new Promise((resolve) => (ways[name] = resolve));
    await page.route(address, async (route) => {
      await gate;
      await route.fallback();
    });
  }
  await page.goto('/admin/');
  await page.getByLabel('Status').selectOption('cancelled');
  ways.me();
  await page.locator('.wall').waitFor();
  assert.equal(await page.locator('.rows .badge').count(), 0);
  ways.list();
  await settled(page);
  const shown = await rows(page);
  assert.ok(shown.length && shown.every(({ status }) => status === 'Cancelled'));
});

walk('the auto-timeout says how many are due, then what it did', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const teacher = await makeTeacher();
  const sent = await send(teacher, await makeStudent(teacher));
  await click(sent);
  await app.age(sent.session.id, '2 hours');
  const page = await open({ who: theAdmin(), path: `/admin/?teacher_id=${teacher.id}` });
  await settled(page);
  assert.equal((await rows(page))[0].duration, '1:10:00', 'a live duration stops at the deadline');
  // Of other classes one may be due at any moment.
  await page.route((url) => url.searchParams.get('limit') === '200', (route) => route.continue({ url: `${route.request().url()}&teacher_id=${teacher.id}` }));
  await page.getByRole('button', { name: 'Auto-timeout' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('1 running class is past its deadline.').waitFor();
  await isAccessible(page, 'auto-timeout');
  await dialog.getByRole('button', { name: 'End 1 class' }).click();
  await dialog.getByText(/(was|were) ended at (its|their) deadline/).waitFor();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.locator('tbody .badge.timeout').waitFor();
  const [row] = await rows(page);
  assert.match(row.duration, /^70 min.*estimated/);
  assert.equal(row.ended_by, 'Deadline');
  await page.getByRole('button', { name: 'Auto-timeout' }).click();
  await dialog.getByText('0 running classes are past their deadline.').waitFor();
});

walk('two marks beside the minutes are two words', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  await page.route('**/api/admin/teacher-sessions?*status=timeout*', async (route) => {
    const response = await route.fetch();
    const list = await response.json();
    // Zoom may still move a guess.
    for (const session of list.sessions) Object.assign(session, { estimated: true, provisional: true });
    await route.fulfill({ response, json: list });
  });
  await page.goto('/admin/?period=all&status=timeout');
  await settled(page);
  assert.match((await rows(page))[0].duration, /^\d+ min\s+estimated\s+provisional$/);
});
