// One session: its evidence and what an admin can do about it.

import assert from 'node:assert/strict';
import { NARROW, app, click, isAccessible, makeStudent, makeTeacher, send, settled, theAdmin, walk } from '../lib/stage.js';

/** A class that runs, in the panel beside the list. */
export async function running(open, options, fields) {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher, undefined, fields);
  const sent = await send(teacher, student);
  await click(sent);
  const page = await open({ who: theAdmin(), path: `/admin/?teacher_id=${teacher.id}`, ...options });
  await settled(page);
  await page.locator('tbody a').click();
  const panel = page.getByRole('dialog', { name: student.name });
  await panel.locator('.timeline li').nth(1).waitFor();
  return { page, panel, teacher, student, sent, id: sent.session.id };
}

const kinds = (panel) => panel.locator('.timeline strong').allTextContents();

walk('the panel tells the evidence in order and explains the minutes, once', async (t, open) => {
  const { page, panel, teacher } = await running(open);
  assert.deepEqual(await kinds(panel), ['Link sent', 'Opened by the student']);
  assert.match(await panel.locator('.timeline li').first().textContent(), new RegExp(teacher.name));
  assert.match(await panel.locator('.explanation').textContent(), /^Running: opened \d\d:\d\d by the student/);
  assert.match(await panel.locator('.stopwatch').textContent(), /^0\d:\d\d$/);
  await isAccessible(page, 'panel');
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  await page.route('**/api/admin/session-events?*', async (route) => {
    await gate;
    await route.fallback();
  });
  await page.reload();
  await panel.locator('.facts').waitFor();
  assert.equal((await panel.locator('.explanation').textContent()).trim(), '');
  go();
  await panel.locator('.explanation', { hasText: /^Running: opened/ }).waitFor();
  await panel.getByRole('heading', { name: 'Evidence' }).waitFor();
});

walk('who filled the rate of a class in is told with the rate', async (t, open) => {
  const name = `Agreed ${Date.now()}`;
  const booked = { name, duration_minutes: 60, buffer_minutes: 10, rate: null, currency: 'USD' };
  await theAdmin().post('/api/admin/packages', booked);
  const { page, panel } = await running(open, {}, { package_id: name });
  await theAdmin().patch('/api/admin/packages', { id: name, rate: '9.50' });
  await page.reload();
  const priced = panel.locator('.timeline li.priced');
  await priced.getByText(/^USD\s9\.50$/).waitFor();
  assert.match(await priced.textContent(), /Rate filled in · admin/);
});

walk('an action asks why, and the reason becomes evidence', async (t, open) => {
  const { page, panel } = await running(open);
  await panel.getByRole('button', { name: 'End class' }).click();
  await panel.getByLabel('Reason').waitFor();
  await isAccessible(page, 'panel, asking why');
  await panel.getByRole('button', { name: 'End class' }).click();
  assert.ok(await panel.getByLabel('Reason').evaluate((input) => !input.validity.valid), 'no reason, no action');
  await panel.getByLabel('Reason').fill('The parents called');
  await panel.getByRole('button', { name: 'End class' }).click();
  await panel.getByText('The parents called').waitFor();
  await panel.locator('.badge.ended').waitFor();
  await page.locator('tbody .badge.ended').waitFor();
  assert.ok((await kinds(panel)).includes('Ended by an admin'));
});

/** A typed moment that many minutes later, as the browser writes it: without seconds on the minute. */
export const later = (value, n) => new Date(Date.parse(`${value}Z`) + n * 60_000).toISOString().slice(0, 19).replace(/:00$/, '');

walk('times are corrected in the academy’s zone, and released again', async (t, open) => {
  const { page, panel } = await running(open);
  await panel.getByRole('button', { name: 'Correct times' }).click();
  const start = await panel.getByLabel('Start').inputValue();
  const at = later(start, -30);
  await panel.getByLabel('Start').fill(at);
  await panel.getByLabel('End').fill(later(at, -1));
  await panel.getByLabel('Reason').fill('The clock of the school');
  await panel.getByRole('button', { name: 'Correct times' }).click();
  await panel.locator('[aria-invalid]').waitFor();
  assert.equal(await panel.getByLabel('Reason').inputValue(), 'The clock of the school', 'what was typed stays');
  await isAccessible(page, 'panel, refused');
  await panel.getByLabel('End').fill(later(at, 25));
  await panel.getByRole('button', { name: 'Correct times' }).click();
  await panel.locator('.state').getByText('25 min').waitFor();
  await panel.getByText('Start corrected').waitFor();
  await panel.getByRole('button', { name: 'Release correction' }).click();
  await panel.getByLabel('Reason').fill('It was right before');
  await panel.getByRole('button', { name: 'Release correction' }).click();
  await panel.getByText('Correction released').waitFor();
  await panel.locator('.badge.active').waitFor();
});

/** Has "Correct times" save one moment, moved by some minutes; resolves with both that were shown. */
async function correct(panel, label, n) {
  await panel.getByRole('button', { name: 'Correct times' }).click();
  const field = panel.getByLabel(label, { exact: true });
  await field.fill(later(await field.inputValue(), n));
  const shown = await Promise.all(['Start', 'End'].map((name) => panel.getByLabel(name, { exact: true }).inputValue()));
  await panel.getByLabel('Reason').fill('As both say');
  await panel.getByRole('button', { name: 'Correct times' }).click();
  await panel.getByLabel('Reason').waitFor({ state: 'detached' });
  return shown.map((value) => Date.parse(`${value}Z`));
}

walk('the start and the end that were shown are those that are saved', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { page, panel, id } = await running(open);
  const saved = async () => (await theAdmin().get(`/api/admin/session-events?session_id=${id}`));
  const corrections = async () => (await saved()).events.filter(({ kind }) => kind === 'corrected').map(({ detail }) => detail.field).sort();

  await app.age(id, '3 hours');
  await theAdmin().post('/api/admin/auto-timeout');
  const { session: before } = await saved();
  assert.deepEqual([before.session_status, before.session_duration_minutes], ['timeout', 70]);
  await page.reload();
  const [start, end] = await correct(panel, 'Start', 30);
  await panel.locator('.state').getByText('40 min').waitFor();
  const { session } = await saved();
  assert.equal(Math.round((end - start) / 60_000), 40);
  assert.deepEqual([session.session_status, session.session_duration_minutes], ['ended', 40]);
  assert.equal(session.session_ended_at, before.session_ended_at, 'the end stays to the microsecond');
  assert.deepEqual(await corrections(), ['clicked_at', 'session_ended_at']);
  await correct(panel, 'End', 5);
  await panel.locator('.state').getByText('45 min').waitFor();
  assert.deepEqual(await corrections(), ['clicked_at', 'session_ended_at', 'session_ended_at'], 'the end alone');
});

walk('a class is cancelled, and one that ended is reopened', async (t, open) => {
  const one = await running(open);
  await one.panel.getByRole('button', { name: 'Cancel class' }).click();
  await one.panel.getByLabel('Reason').fill('Sent by mistake');
  await one.panel.getByRole('button', { name: 'Cancel class' }).click();
  await one.panel.locator('.badge.cancelled').waitFor();

  const two = await running(open);
  await theAdmin().post('/api/admin/session', { session_id: two.id, action: 'end', reason: 'test' });
  await two.page.evaluate(() => dispatchEvent(new Event('online')));
  await two.panel.getByRole('button', { name: 'Reopen' }).click();
  await two.panel.getByLabel('Reason').fill('They go on');
  const inAnHour = Math.floor(Date.now() / 1000) * 1000 + 3600_000;
  const typed = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Africa/Addis_Ababa', dateStyle: 'short', timeStyle: 'medium' }).format(inAnHour);
  await two.panel.getByLabel('New deadline').fill(later(typed.replace(' ', 'T'), 0));
  await two.panel.getByRole('button', { name: 'Reopen' }).click();
  await two.panel.getByText('Reopened').waitFor();
  await two.panel.locator('.badge.active').waitFor();
  const { session, events } = await theAdmin().get(`/api/admin/session-events?session_id=${two.id}`);
  assert.ok(events.every(({ kind }) => kind !== 'corrected'), 'the start that was shown is the one it had');
  assert.equal(Date.parse(session.times_out_at), inAnHour);
});

walk('reopened from the list, a class counts from when the student came back', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { page, panel, sent, id } = await running(open);
  const saved = async () => (await theAdmin().get(`/api/admin/session-events?session_id=${id}`)).session;
  await app.age(id, '6 hours');
  await theAdmin().post('/api/admin/auto-timeout');
  await click(sent); // they looked, hours before they came
  const earlier = "SET happened_at = happened_at - interval '2 hours' WHERE session_id =";
  await app.psql(`SET session_replication_role = replica; UPDATE clicks ${earlier} ${id} AND verdict = 'late';
    UPDATE session_events ${earlier} ${id} AND kind = 'click_ignored'`);
  await click(sent);
  const back = Date.now();
  await page.reload();
  await panel.getByText('Opening not counted').first().waitFor();
  await panel.getByRole('button', { name: 'Reopen' }).click();
  await panel.getByText('The minutes count from here.').waitFor();
  await isAccessible(page, 'reopening from the list');
  await panel.getByLabel('Reason').fill('They came in the evening');
  await panel.getByRole('button', { name: 'Reopen' }).click();
  await panel.locator('.badge.active').waitFor();
  const { clicked_at } = await saved();
  assert.ok(Math.abs(Date.parse(clicked_at) - back) < 30_000, clicked_at);
  await app.age(id, '50 minutes');
  await theAdmin().post('/api/admin/session', { session_id: id, action: 'end', reason: 'test' });
  const minutes = (await saved()).session_duration_minutes;
  assert.ok(minutes >= 50 && minutes <= 51 + (Date.now() - back) / 60_000, `${minutes} minutes`);
});

walk('reopened while its time lasts, a class keeps the minutes it has had', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { page, panel, sent, id } = await running(open);
  await app.age(id, '20 minutes');
  await theAdmin().post('/api/admin/session', { session_id: id, action: 'end', reason: 'by mistake' });
  await click(sent);
  const { session: { clicked_at } } = await theAdmin().get(`/api/admin/session-events?session_id=${id}`);
  for (const from of [`/admin/?session=${id}`, '/admin/attention?kind=late_click']) {
    await page.goto(from);
    await settled(page);
    if (from.includes('late_click')) await page.locator(`[data-session="${id}"]`).click();
    await panel.getByText('Opening not counted').first().waitFor();
    if (!from.includes('late_click')) await panel.getByRole('button', { name: 'Reopen' }).click();
    const start = Date.parse(`${await panel.getByLabel('Start').inputValue()}+03:00`);
    assert.equal(start, Math.floor(Date.parse(clicked_at) / 1000) * 1000, from);
  }
  await panel.getByRole('button', { name: 'Reopen' }).click();
  await panel.locator('.badge.active').waitFor();
  const { session } = await theAdmin().get(`/api/admin/session-events?session_id=${id}`);
  assert.equal(session.clicked_at, clicked_at);
});

walk('a class that nobody opened is reopened from now', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  const { session: { id } } = await send(teacher, student);
  await app.age(id, '13 hours');
  await theAdmin().post('/api/admin/auto-timeout');
  const page = await open({ who: theAdmin(), path: `/admin/?session=${id}` });
  const panel = page.getByRole('dialog', { name: student.name });
  await panel.getByRole('button', { name: 'Reopen' }).click();
  await panel.getByText('The minutes count from here. Empty: from now.').waitFor();
  await panel.getByLabel('Reason').fill('They are here');
  const before = Date.now();
  await panel.getByRole('button', { name: 'Reopen' }).click();
  await panel.locator('.badge.active').waitFor();
  const { session } = await theAdmin().get(`/api/admin/session-events?session_id=${id}`);
  assert.ok(Date.parse(session.clicked_at) >= before - 1000 && Date.parse(session.clicked_at) <= Date.now(), session.clicked_at);
  await panel.locator('.explanation', { hasText: 'by an admin (reopened)' }).waitFor();
  await panel.locator('.timeline li.reopened', { hasText: 'decides the start' }).waitFor();
});

walk('on a phone the panel covers the list and closes with the way back to the row', async (t, open) => {
  const { page, panel } = await running(open, { size: NARROW });
  await isAccessible(page, 'panel on a phone');
  await panel.getByRole('button', { name: 'Close' }).click();
  await page.waitForFunction(() => document.activeElement?.matches('tbody a'));
  assert.doesNotMatch(page.url(), /session=/);
});

walk('a panel whose code did not come opens at the next wish', async (t, open) => {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  await send(teacher, student);
  const page = await open({ who: theAdmin(), path: '' });
  await page.route('**/lib/panel.js*', (route) => route.abort());
  await page.goto(`/admin/?teacher_id=${teacher.id}`);
  await settled(page);
  await page.locator('tbody a').click();
  await page.locator('#said').getByText('No connection to the server.').waitFor();
  const again = page.waitForRequest('**/lib/panel.js*'); // first: whatever draws the page asks
  await page.unroute('**/lib/panel.js*');
  await page.locator('tbody a').click();
  assert.match((await again).url(), /[?]/, 'not what the browser may know as failed');
  await page.getByRole('dialog', { name: student.name }).waitFor();
});

walk('a session that is not there says so', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/?session=999999999' });
  await page.getByRole('dialog').getByText('This no longer exists').waitFor();
  await isAccessible(page, 'panel of nothing');
});
