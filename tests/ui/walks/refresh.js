// A refresh changes what changed and nothing else.

import assert from 'node:assert/strict';
import { NARROW, WIDE, app, click, makeStudent, makeTeacher, rows, send, settled, theAdmin, walk } from '../lib/stage.js';

/** A teacher with students, two classes sent, one of them opened. */
async function classes() {
  const teacher = await makeTeacher();
  const students = [await makeStudent(teacher), await makeStudent(teacher), await makeStudent(teacher)];
  const first = await send(teacher, students[0]);
  await click(first);
  const second = await send(teacher, students[1]);
  return { teacher, students, first, second };
}

const refreshed = (page) => page.waitForResponse((r) => r.url().includes('/api/admin/teacher-sessions?') && r.url().includes('teacher_id'));
const names = async (page) => (await rows(page)).map((row) => row.student);

walk('every thirty seconds the list is asked for anew, as a poll', async (t, open) => {
  const { teacher, students } = await classes();
  const page = await open({ who: theAdmin(), path: '' });
  await page.clock.install();
  await page.goto(`/admin/?teacher_id=${teacher.id}`);
  await settled(page);
  await page.getByLabel('Search').focus();
  const answer = refreshed(page);
  await send(teacher, students[2]);
  await page.clock.fastForward('00:31');
  assert.equal((await answer).request().headers()['x-poll'], '1');
  await page.locator('tbody tr').nth(2).waitFor();
  assert.deepEqual(await names(page), [students[2].name, students[1].name, students[0].name]);
});

walk('a refresh keeps filter, text, focus, selection and scroll', async (t, open) => {
  const { teacher, second } = await classes();
  const page = await open({ who: theAdmin(), path: `/admin/?teacher_id=${teacher.id}`, size: { width: 1366, height: 420 } });
  await settled(page);
  await page.getByLabel('Search').fill('Stud');
  await page.waitForURL(/q=Stud/);
  await settled(page);
  await page.evaluate(() => {
    scrollTo(0, 60);
    document.querySelector('[name=q]').setSelectionRange(1, 3);
  });
  await click(second);
  const answer = refreshed(page);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await answer;
  await page.waitForFunction(() => document.querySelectorAll('.badge.active').length === 2);
  const kept = await page.evaluate(() => {
    const q = document.querySelector('[name=q]');
    return [scrollY, document.activeElement === q, q.value, q.selectionStart, q.selectionEnd];
  });
  assert.deepEqual(kept, [60, true, 'Stud', 1, 3]);
  assert.match(page.url(), /q=Stud/);
});

walk('a refresh keeps the page of the list and the words that are selected in it', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/?period=all&status=ended' });
  await settled(page);
  await page.getByRole('button', { name: 'Older' }).click();
  await page.waitForURL(/cursor=/);
  await settled(page);
  const before = await names(page);
  const word = await page.evaluate(() => {
    getSelection().selectAllChildren(document.querySelectorAll('tbody tr')[3].querySelector('.c-teacher'));
    return getSelection().toString();
  });
  const answer = page.waitForResponse((r) => r.url().includes('cursor='));
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await (await answer).finished();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  assert.deepEqual(await names(page), before);
  assert.equal(await page.evaluate(() => getSelection().toString()), word);
  await page.getByText('Page 2').waitFor();
});

walk('a refresh touches no row that did not change, and shifts nothing', async (t, open) => {
  for (const size of [WIDE, NARROW]) {
    const page = await open({ who: theAdmin(), path: '/admin/?period=all&status=ended', size });
    await settled(page);
    await page.evaluate(() => {
      window.touched = 0;
      window.shifted = 0;
      new MutationObserver((list) => (window.touched += list.length)).observe(document.querySelector('tbody'), { subtree: true, childList: true, characterData: true, attributes: true });
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shifted += entry.value))).observe({ type: 'layout-shift' });
    });
    const answer = page.waitForResponse((r) => r.url().includes('status=ended'));
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await (await answer).finished();
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    assert.deepEqual(await page.evaluate(() => [window.touched, window.shifted]), [0, 0]);
  }
});

walk('new rows wait while the pointer is on the list', async (t, open) => {
  const { teacher, students } = await classes();
  const page = await open({ who: theAdmin(), path: `/admin/?teacher_id=${teacher.id}` });
  await settled(page);
  const before = await names(page);
  await page.locator('tbody tr').first().hover();
  await send(teacher, students[2]);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.getByRole('button', { name: 'Show 1 new session' }).waitFor();
  assert.deepEqual(await names(page), before);
  await page.mouse.move(5, 5);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 3);
  assert.deepEqual(await names(page), [students[2].name, ...before]);
});

walk('a hidden tab asks for nothing, and catches up when it is seen again', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  const hide = (hidden) => page.evaluate((is) => {
    const ask = fetch;
    window.asked = 0;
    window.fetch = (...of) => {
      window.asked++;
      return ask(...of);
    };
    Object.defineProperty(document, 'hidden', { configurable: true, value: is });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

  await page.clock.install();
  // What the page asks once, when it has nothing better to do.
  const once = ['/api/admin/attention?', '/api/admin/teachers', '/api/admin/students'].map((path) => page.waitForResponse((r) => r.url().includes(path)));
  await page.goto('/admin/');
  await settled(page);
  await Promise.all(once);
  await hide(true);
  await page.clock.fastForward('05:00');
  assert.equal(await page.evaluate(() => window.asked), 0);
  const answer = page.waitForResponse((r) => r.url().includes('teacher-sessions'));
  await hide(false);
  await answer;
});

walk('the table works on a phone', async (t, open) => {
  const { teacher } = await classes();
  const page = await open({ who: theAdmin(), path: `/admin/?teacher_id=${teacher.id}`, size: NARROW });
  await settled(page);
  await page.getByRole('button', { name: /^Filter/ }).click();
  await page.getByLabel('Status').selectOption('active');
  await page.waitForURL(/status=active/);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.locator('tbody tr').tap();
  await page.getByRole('dialog').getByRole('heading', { name: 'Evidence' }).waitFor();
  assert.equal(app.url, new URL(page.url()).origin);
});
