// Live durations follow the server's clock, whatever the browser's says.

import assert from 'node:assert/strict';
import { app, click, makeStudent, makeTeacher, send, settled, theAdmin, walk } from '../lib/stage.js';

/** Seconds that a stopwatch shows. */
async function shown(page) {
  const text = await page.locator('tbody .stopwatch').first().textContent();
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** A running class, and the seconds it runs by the server. */
async function running() {
  const teacher = await makeTeacher();
  const sent = await send(teacher, await makeStudent(teacher));
  await click(sent);
  await app.age(sent.session.id, '10 minutes');
  const truth = async () => {
    const { sessions, generated_at } = await theAdmin().get(`/api/admin/teacher-sessions?teacher_id=${teacher.id}`);
    return (Date.parse(generated_at) - Date.parse(sessions[0].clicked_at)) / 1000;
  };
  return { teacher, truth };
}

/** The page shows what the server says, between its saying so before and after. What is wrong is wrong by an hour. */
async function isRight(page, truth, what) {
  const before = await truth();
  const seconds = await shown(page);
  const after = await truth();
  assert.ok(seconds >= before - 120 && seconds <= after + 120, `${what}: shown ${seconds} s, true ${before} to ${after} s`);
}

/** A stopwatch of less than an hour: the clock's leap is out of it. */
const underAnHour = (page) => page.waitForFunction(() => !/^1:/.test(document.querySelector('tbody .stopwatch').textContent));

for (const wrong of [3_600_000, -3_600_000])
  walk(`a browser ${wrong > 0 ? 'an hour ahead' : 'an hour behind'} shows the right duration`, async (t, open) => {
    if (!app.ours) return t.skip('needs the database');
    const { teacher, truth } = await running();
    const page = await open({ who: theAdmin(), path: '' });
    await page.clock.install({ time: Date.now() + wrong });
    await page.goto(`/admin/?teacher_id=${teacher.id}`);
    await settled(page);
    await isRight(page, truth, 'at first');
    const before = await page.locator('tbody .stopwatch').textContent();
    await page.waitForFunction((text) => document.querySelector('tbody .stopwatch').textContent !== text, before);
    await isRight(page, truth, 'a tick later');
  });

walk('after a laptop’s sleep the duration is right again', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { teacher, truth } = await running();
  const page = await open({ who: theAdmin(), path: '' });
  await page.clock.install();
  await page.goto(`/admin/?teacher_id=${teacher.id}`);
  await settled(page);
  // The lid was closed: the browser's clocks leap while the server's goes on as before.
  const answer = page.waitForResponse((r) => r.url().includes(`teacher_id=${teacher.id}`));
  await page.clock.fastForward('01:00:00');
  await answer;
  await underAnHour(page);
  await isRight(page, truth, 'after the sleep');
});

walk('a wall clock that is set while the page is open asks the server again', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { teacher, truth } = await running();
  const page = await open({ who: theAdmin(), path: `/admin/?teacher_id=${teacher.id}` });
  await settled(page);
  const answer = page.waitForResponse((r) => r.url().includes(`teacher_id=${teacher.id}`));
  await page.evaluate(() => {
    const real = Date.now;
    Date.now = () => real() + 3_600_000;
  });
  await answer;
  await underAnHour(page);
  await isRight(page, truth, 'after the clock was set');
});
