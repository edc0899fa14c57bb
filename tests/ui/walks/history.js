// A teacher's own classes, month by month.

import assert from 'node:assert/strict';
import { NARROW, click, fits, isAccessible, makeStudent, makeTeacher, send, settled, walk } from '../lib/stage.js';

/** A teacher with one class that is over. */
async function over(open) {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  const sent = await send(teacher, student);
  const session_id = sent.session.id;
  await click(sent);
  await teacher.client.post('/api/teacher/session', { session_id, action: 'end' });
  const page = await open({ who: teacher.client, path: '/teacher/?view=history', size: NARROW });
  await settled(page);
  const dialog = page.getByRole('dialog', { name: `Attendance of ${student.name}` });
  const mark = (attendance) => teacher.client.post('/api/teacher/attendance', { session_id, attendance });
  return { teacher, page, dialog, mark, row: page.locator('.classes li', { hasText: student.name }) };
}

/** The same when the student was late, with the dialog in which a note begins. */
async function late(open) {
  const it = await over(open);
  await it.mark('late');
  await it.page.getByRole('button', { name: 'Refresh' }).tap();
  await it.row.getByRole('button', { name: 'Late' }).tap();
  await it.dialog.getByRole('button', { name: 'Add a note' }).tap();
  return it;
}

/** What is kept of the class. */
async function kept({ teacher }) {
  const { sessions: [{ attendance, attendance_note }] } = await teacher.client.get('/api/teacher/sessions');
  return [attendance, attendance_note];
}

walk('own classes and minutes by month', async (t, open) => {
  const { page, dialog, row } = await over(open);
  await page.getByRole('link', { name: 'Today' }).tap(); // which waits for no page
  await page.waitForURL('**/teacher/');
  await page.getByRole('link', { name: 'My classes' }).tap();
  await page.waitForURL('**/teacher/?view=history');
  await settled(page);
  await row.getByRole('button', { name: 'Mark attendance' }).tap();
  await isAccessible(page, 'attendance from the list');
  await dialog.getByRole('button', { name: 'Excused' }).tap();
  await row.getByRole('button', { name: 'Excused' }).waitFor();
  await dialog.getByRole('button', { name: 'Close' }).tap();
  await page.getByRole('button', { name: 'Earlier month' }).tap();
  await page.getByRole('heading', { name: 'No classes in this month' }).waitFor();
  assert.match(page.url(), /month=\d{4}-\d\d/);
  await isAccessible(page, 'a month without classes');
});

walk('a note being written stays when another mark is tapped', async (t, open) => {
  const it = await late(open);
  const { page, dialog } = it;
  await dialog.getByLabel('Note').fill('Came at ten past');
  await dialog.getByRole('button', { name: 'Present' }).tap();
  await page.getByText('Attendance saved.').waitFor();
  await dialog.locator('[aria-pressed=true]', { hasText: 'Present' }).waitFor();
  assert.equal(await dialog.getByLabel('Note').inputValue(), 'Came at ten past');
  await dialog.getByRole('button', { name: 'Save' }).tap();
  await dialog.locator('.quote', { hasText: 'Came at ten past' }).waitFor();
  assert.deepEqual(await kept(it), ['present', 'Came at ten past']);
});

walk('Escape drops no note that was typed', async (t, open) => {
  const it = await late(open);
  const { page, dialog } = it;
  await dialog.getByLabel('Note').fill('Came at ten past');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await dialog.getByText('What you entered is not saved yet.').waitFor();
  assert.equal(await dialog.getByLabel('Note').inputValue(), 'Came at ten past');
  await isAccessible(page, 'a note that Escape leaves');
  await fits(page, 'a note that Escape leaves');
  await dialog.getByRole('button', { name: 'Cancel' }).tap();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual(await kept(it), ['late', '']);
  await it.row.getByRole('button', { name: 'Late' }).tap();
  await dialog.getByRole('button', { name: 'Add a note' }).tap(); // in which nothing is typed
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});

walk('a note leaves the mark that another device has made meanwhile', async (t, open) => {
  const it = await late(open);
  const { page, dialog } = it;
  await dialog.getByLabel('Note').fill('Wrote at noon');
  await it.mark('absent');
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await it.row.getByRole('button', { name: 'Absent' }).waitFor();
  assert.equal(await dialog.locator('[aria-pressed=true]').textContent().then((text) => text.trim()), 'Absent');
  await dialog.getByRole('button', { name: 'Save' }).tap();
  await dialog.locator('.quote', { hasText: 'Wrote at noon' }).waitFor();
  assert.deepEqual(await kept(it), ['absent', 'Wrote at noon']);
});
