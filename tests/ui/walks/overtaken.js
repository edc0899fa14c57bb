// An answer that something newer has overtaken changes nothing.

import assert from 'node:assert/strict';
import { NARROW, ZOOM_URL, app, click, makeStudent, makeTeacher, replayed, send, settled, stray, theAdmin, walk } from '../lib/stage.js';

const STUDENTS = '**/api/teacher/students';

/** A teacher with one student who has a link. */
async function day(open) {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher, undefined, { zoom_url: ZOOM_URL });
  const page = await open({ who: teacher.client, path: '/teacher/', size: NARROW });
  await settled(page);
  return { teacher, student, page, own: page.getByRole('article', { name: student.name }) };
}

const refresh = (page) => page.getByRole('button', { name: 'Refresh' }).tap();

/**
 * The next answer from there is as old as when it was asked for, and comes when somebody lets it.
 * asked: the server has answered; come(): it comes, and the page has dealt with it.
 */
async function hold(page, url) {
  let asked, goOn;
  const answered = new Promise((resolve) => { asked = resolve; });
  const gone = new Promise((resolve) => { goOn = resolve; });
  await page.route(url, async (route) => {
    const response = await route.fetch();
    asked(route.request());
    await gone;
    await route.fulfill({ response });
  }, { times: 1 });
  return {
    asked: answered,
    async come() {
      goOn();
      await (await (await answered).response()).finished();
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    },
  };
}

walk('a list from before the tap brings back neither “Send class” nor an end that needs the database', async (t, open) => {
  const { teacher, page, own } = await day(open);
  const old = await hold(page, STUDENTS);
  await refresh(page);
  await old.asked;
  await own.getByRole('button', { name: 'Send class' }).tap();
  await own.getByText('Waiting for').waitFor();
  await old.come();
  assert.equal(await own.getByRole('button', { name: 'Send class' }).count(), 0);
  const { sessions } = await teacher.client.get('/api/teacher/sessions');
  assert.equal(sessions.length, 1);

  await click(await teacher.client.get(`/api/teacher/session?session_id=${sessions[0].id}`));
  await refresh(page);
  await own.locator('.timer .stopwatch').waitFor();
  await page.route('**/api/teacher/session', (route) => route.abort());
  await own.getByRole('button', { name: 'End class' }).tap();
  await own.getByRole('button', { name: 'Yes, end now' }).tap();
  await own.getByText(/^The end of this class, .*, is kept|^Ended/).waitFor();
  await replayed();
  await refresh(page);
  await own.getByText(/^Ended/).waitFor();
  assert.equal((await teacher.client.get('/api/teacher/sessions')).sessions[0].ended_by, 'teacher_left');
});

walk('a list does not take back what a later one has told', async (t, open) => {
  const { teacher, student, page, own } = await day(open);
  const old = await hold(page, STUDENTS);
  await refresh(page);
  await old.asked;
  await send(teacher, student);
  await refresh(page);
  await own.getByRole('button', { name: 'Withdraw link' }).waitFor();
  await old.come();
  assert.equal(await own.getByRole('button', { name: 'Withdraw link' }).count(), 1);
});

walk('links of a class that come late do not lead back to a room that was changed meanwhile', async (t, open) => {
  const { teacher, student, page, own } = await day(open);
  const other = `${ZOOM_URL}2`;
  await send(teacher, student);
  const old = await hold(page, '**/api/teacher/session?*');
  await refresh(page);
  await old.asked;
  await own.getByRole('button', { name: 'Change Zoom link' }).tap();
  await own.getByLabel('Zoom link of the class').fill(other);
  await own.getByRole('button', { name: 'Save' }).tap();
  await page.getByText('The Zoom link was changed.').waitFor();
  await old.come();
  assert.equal(await own.getByRole('link', { name: 'Open Zoom' }).getAttribute('href'), other);
});

const LISTS = '**/api/teacher/sessions?*';

/** A teacher's month, from which the page asks for two classes at a time; what the list is called by: the students' names. */
async function month(open, classes) {
  const teacher = await makeTeacher();
  const sendOne = async (name) => send(teacher, await makeStudent(teacher, name));
  for (let n = 1; n <= classes; n++) await sendOne(`Class ${n}`);
  const page = await open({ who: teacher.client, path: '', size: NARROW });
  await page.addInitScript(() => {
    const ask = window.fetch;
    window.fetch = (url, options) => ask(String(url).replace('limit=100', 'limit=2'), options);
  });
  await page.goto('/teacher/?view=history');
  await settled(page);
  const shown = () => page.locator('.classes li strong').allTextContents();
  const more = page.getByRole('button', { name: 'Show more' });
  return { page, sendOne, shown, more };
}

/** @param {...number} numbers of classes */
const names = (...numbers) => numbers.map((n) => `Class ${n}`);

walk('more classes of one month do not come into another', async (t, open) => {
  const { page, shown, more } = await month(open, 3);
  assert.deepEqual(await shown(), names(3, 2));
  const old = await hold(page, '**/api/teacher/sessions?*cursor=*');
  await more.tap();
  await old.asked;
  await page.getByRole('button', { name: 'Earlier month' }).tap();
  await page.getByRole('heading', { name: 'No classes in this month' }).waitFor();
  await old.come();
  assert.equal(await page.locator('.classes li').count(), 0);
  assert.deepEqual(await page.locator('.cards strong').allTextContents(), ['0', '0', '0']);
  await page.getByRole('button', { name: 'Later month' }).tap();
  await page.locator('.classes li strong').first().waitFor();
  assert.ok(await more.isEnabled());
});

walk('more classes that came while the first were asked for anew stay', async (t, open) => {
  const { page, shown, more } = await month(open, 3);
  const old = await hold(page, LISTS);
  await refresh(page);
  await old.asked;
  await more.tap();
  await page.locator('.classes li').nth(2).waitFor();
  await old.come();
  assert.deepEqual(await shown(), names(3, 2, 1));
  assert.equal(await more.count(), 0);
});

walk('a class that is sent while more are asked for pushes none out', async (t, open) => {
  const { page, sendOne, shown, more } = await month(open, 5);
  const old = await hold(page, '**/api/teacher/sessions?*cursor=*');
  await more.tap();
  await old.asked;
  await sendOne('Class 6');
  await refresh(page);
  await page.locator('.classes li', { hasText: 'Class 6' }).waitFor();
  await old.come();
  assert.deepEqual(await shown(), names(6, 5, 4, 3, 2));
  await more.tap();
  await page.locator('.classes li', { hasText: 'Class 1' }).waitFor();
  assert.deepEqual(await shown(), names(6, 5, 4, 3, 2, 1));
  assert.equal(await more.count(), 0);
});

walk('so many classes sent elsewhere that the first page has none of what is shown leave no gap behind it', async (t, open) => {
  const { page, sendOne, shown, more } = await month(open, 3);
  await more.tap();
  await page.locator('.classes li').nth(2).waitFor();
  for (const n of [4, 5, 6]) await sendOne(`Class ${n}`);
  await refresh(page);
  await page.locator('.classes li', { hasText: 'Class 6' }).waitFor();
  for (const last of names(3, 1)) {
    await more.tap();
    await page.locator('.classes li', { hasText: last }).waitFor();
  }
  assert.deepEqual(await shown(), names(6, 5, 4, 3, 2, 1));
});

walk('an inbox from before the word brings no settled meeting back', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { id } = await stray();
  const page = await open({ who: theAdmin(), path: '/admin/zoom-inbox', size: NARROW });
  const item = page.locator('.meetings li').filter({ hasText: id.replace(/^(...)(....)(....)$/, '$1 $2 $3') });
  const dialog = page.getByRole('dialog');
  await settled(page);
  const old = await hold(page, '**/api/admin/zoom-inbox?*');
  await refresh(page);
  await old.asked;
  await item.getByRole('button', { name: 'Put aside' }).tap();
  await dialog.getByLabel('Reason').fill('A staff meeting');
  await dialog.getByRole('button', { name: 'Put aside' }).tap();
  await item.waitFor({ state: 'detached' });
  await old.come();
  assert.equal(await item.count(), 0);
});

walk('what was settled stays away though an older list comes after it', async (t, open) => {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher, `Settled ${Date.now()}`);
  const { session, ...sent } = await send(teacher, student);
  await click(sent);
  await teacher.client.post('/api/teacher/session', { session_id: session.id, action: 'end' });
  const page = await open({ who: theAdmin(), path: '/admin/attention?kind=no_attendance', size: NARROW });
  const item = page.locator('.items li').filter({ hasText: student.name });
  await item.waitFor();
  const old = await hold(page, '**/api/admin/attention');
  await refresh(page);
  await old.asked;
  await teacher.client.post('/api/teacher/attendance', { session_id: session.id, attendance: 'present' });
  await refresh(page);
  await item.waitFor({ state: 'detached' });
  await old.come();
  assert.equal(await item.count(), 0);
});

walk('packages from before another was retired do not take it into use again', async (t, open) => {
  const PACKAGES = '**/api/admin/packages';
  const [first, second] = ['Early', 'Late'].map((name) => `${name} ${Date.now()}`);
  for (const name of [first, second]) await theAdmin().post('/api/admin/packages', { name, duration_minutes: 60, buffer_minutes: 10, rate: '10.00', currency: 'USD' });
  const page = await open({ who: theAdmin(), path: '/admin/packages', size: NARROW });
  const row = (name) => page.locator('table.people tbody tr').filter({ hasText: name });
  const retire = (name) => row(name).getByRole('button', { name: /^Retire/ }).tap();
  await settled(page);
  const old = await hold(page, PACKAGES);
  await page.route(PACKAGES, (route) => route.continue(), { times: 1 }); // the change itself; what is held is the list
  await retire(first);
  await old.asked;
  await retire(second);
  await row(second).getByText('Retired').waitFor();
  await old.come();
  assert.equal(await row(second).getByText('Retired').count(), 1);
});
