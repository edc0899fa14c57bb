// On a teacher's pages an answer that something newer has overtaken changes nothing.

import assert from 'node:assert/strict';
import { NARROW, ZOOM_URL, click, makeStudent, makeTeacher, send, settled, walk } from '../lib/stage.js';

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
