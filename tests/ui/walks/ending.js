// A class is ended whatever becomes of the server, and counts to the moment of the tap.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { NARROW, ZOOM_URL, app, click, fits, isAccessible, makeStudent, makeTeacher, send, settled, walk } from '../lib/stage.js';

const KEPT = /^The end of this class, .*, is kept/;

/** A teacher's page with these classes, whose links are at hand: {page, classes: [{sent, began, card}]}. */
async function day(open, ...states) {
  const teacher = await makeTeacher();
  const classes = [];
  for (const state of states) {
    const sent = await send(teacher, await makeStudent(teacher, undefined, { zoom_url: ZOOM_URL }));
    const began = Date.now() / 1000 - 40 * 60;
    if (state === 'active') {
      await click(sent);
      await app.age(sent.session.id, '40 minutes');
    }
    classes.push({ sent, began });
  }
  const page = await open({ who: teacher.client, path: '/teacher/', size: NARROW });
  await settled(page);
  for (const it of classes) {
    it.card = page.getByRole('article', { name: it.sent.session.student.name });
    await it.card.getByRole('link', { name: 'Open Zoom' }).waitFor();
  }
  return { page, classes };
}

/** The database is away, at most until the walk is over. */
async function away(t) {
  const back = await app.loseDatabase();
  t.after(() => back().catch(() => null)); // it is back already
  return back;
}

/** Ends a class; the seconds between which it was. */
async function finish(card) {
  const before = Date.now() / 1000;
  await card.getByRole('button', { name: 'End class' }).tap();
  await card.getByRole('button', { name: 'Yes, end now' }).tap();
  await card.getByText(KEPT).waitFor();
  assert.equal(await card.getByRole('button', { name: /End class|end now/ }).count(), 0);
  return [before, Date.now() / 1000];
}

/** What the database has of a class. */
async function rowOf({ sent: { session: { id } } }) {
  const columns = 'session_status, ended_by, session_duration_minutes, extract(epoch FROM session_ended_at)';
  const [status, by, minutes, ended] = (await app.psql(`SELECT ${columns} FROM sessions WHERE id = ${id}`)).split('|');
  return { status, by, minutes: Number(minutes), ended: Number(ended) };
}

async function isCounted(it, [before, after]) {
  const { status, by, ended } = await rowOf(it);
  assert.deepEqual([status, by], ['ended', 'teacher_left']);
  assert.ok(before <= ended && ended <= after, `${before} ${ended} ${after}`);
}

/** The database is back, and so is the page, by itself; then what the node has kept is counted. */
async function comesBack(page, back, classes) {
  await back();
  await page.getByText(/^Updated/).waitFor();
  for (const { card } of classes) assert.equal(await card.getByRole('button', { name: /^End class/ }).count(), 0);
  await app.job('journal-replay');
  await page.getByRole('button', { name: 'Refresh' }).tap();
  for (const { card } of classes) {
    await card.getByText('Ended').waitFor(); // the instance's own timer may be at it just now
    assert.equal(await card.getByText(KEPT).count(), 0);
  }
}

walk('a class ends while the database is away', async (t, open) => {
  if (!app.restartable) return t.skip('not an instance of our own');
  const { page, classes: [it] } = await day(open, 'active');
  const back = await away(t);
  const when = await finish(it.card);
  await page.getByText('The server is not available at the moment.').waitFor();
  await isAccessible(page, 'an end that is kept');
  await fits(page, 'an end that is kept');
  await sleep(300); // an end that counted from when the server is back would be another
  await comesBack(page, back, [it]);
  await isCounted(it, when);
  const { minutes } = await rowOf(it);
  assert.ok(minutes >= 40 && minutes <= Math.round((when[1] - it.began) / 60), `${minutes} min`);
});

walk('a page that was loaded while the database is away ends what it knew to be open', async (t, open) => {
  if (!app.restartable) return t.skip('not an instance of our own');
  const { page, classes } = await day(open, 'active', 'sent');
  const [ran, began] = classes;
  const back = await away(t);
  await click(began.sent); // as far as the page knows nobody has opened it
  await page.getByRole('button', { name: 'Refresh' }).tap();
  const first = await finish(began.card);
  await page.reload();
  await began.card.getByText(KEPT).waitFor();
  assert.equal(await began.card.getByRole('button').count(), 0);
  await isAccessible(page, 'classes to end while the server is away');
  await fits(page, 'classes to end while the server is away');
  const second = await finish(ran.card);
  await comesBack(page, back, classes);
  await isCounted(began, first);
  await isCounted(ran, second);
});

walk('an end whose answer is lost counts once', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { page, classes: [it] } = await day(open, 'active');
  let before;
  let goOn;
  const done = new Promise((resolve) => (goOn = resolve));
  await page.route('**/api/teacher/session', async (route) => {
    await route.fetch();
    before = await rowOf(it);
    await sleep(1100); // whole seconds are one observation
    goOn();
  }); // never answered
  await page.route('**/api/zoom/teacher-left?*', async (route) => { // the page waits for three seconds, however long that took
    await done;
    await route.continue();
  });
  const left = page.waitForResponse('**/api/zoom/teacher-left?*');
  await it.card.getByRole('button', { name: 'End class' }).tap();
  await it.card.getByRole('button', { name: 'Yes, end now' }).tap();
  assert.equal((await left).status(), 200);
  await it.card.getByText('Ended').waitFor();
  assert.equal(before.by, 'teacher');
  assert.deepEqual(await rowOf(it), before);
});

walk('an end that is kept nowhere is not called one', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { page, classes: [it] } = await day(open, 'active');
  await page.route('**/api/**', (route) => route.abort());
  await it.card.getByRole('button', { name: 'End class' }).tap();
  await it.card.getByRole('button', { name: 'Yes, end now' }).tap();
  await it.card.getByText('No connection to the server.').waitFor();
  assert.equal(await it.card.getByText(KEPT).count(), 0);
  await page.unroute('**/api/**');
  await it.card.getByRole('button', { name: 'Yes, end now' }).tap();
  await it.card.getByText('Ended').waitFor();
});
