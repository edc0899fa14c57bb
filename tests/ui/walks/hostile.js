// A hostile name is shown as text everywhere.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { NARROW, WIDE, ZOOM_URL, click, fits, makeStudent, makeTeacher, send, settled, theAdmin, walk } from '../lib/stage.js';

const NAMES = {
  markup: '<img src=x onerror=alert(1)>',
  template: '${alert(1)} {{7*7}} </script><script>alert(1)</script>',
  bidi: '\u202Egnp.exe\u202C end',
  isolates: '\u2067reversed\u2069\u2069 rest',
  long: 'x'.repeat(200),
  words: `${'Wolfeschlegelsteinhausen '.repeat(8)}`.trim(),
  emoji: '👩🏽‍🏫🏳️‍🌈 Zoë é',
  formula: '=1+2";=1+2',
};
/** As people read it: without the signs that turn a line round. */
const plain = (name) => name.replace(/[\u202a-\u202e\u2066-\u2069]/g, '');

/** A class of a student of that name that runs. */
async function beginClass(teacher, name) {
  await click(await send(teacher, await makeStudent(teacher, name, { zoom_url: ZOOM_URL, note: name })));
}

/** No name has made an element or pushed the page's edge out. */
async function calm(page, where) {
  assert.equal(await page.locator('img, script:not([src])').count(), 0, where);
  await fits(page, where);
}

for (const [kind, name] of Object.entries(NAMES))
  walk(`a name of ${kind} is text`, async (t, open) => {
    const teacher = await makeTeacher(name);
    await beginClass(teacher, name);
    const page = await open({ who: theAdmin(), path: '' });
    const dialog = page.getByRole('dialog');
    const close = async () => {
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    };

    // A page that was loaded narrow takes the room of a wide window, but not the other way round.
    await page.setViewportSize(NARROW);
    await page.goto(`/admin/?teacher_id=${teacher.id}`);
    await settled(page);
    for (const size of [NARROW, WIDE]) {
      await page.setViewportSize(size);
      assert.equal(await page.locator('tbody .c-student').textContent().then((s) => s.trim()), plain(name));
      await calm(page, `sessions, ${size.width}`);
      await page.locator('tbody tr').click();
      await dialog.locator('.timeline li').first().waitFor();
      assert.equal(await page.locator('#panel-title').textContent().then((s) => s.trim()), plain(name));
      await calm(page, `panel, ${size.width}`);
      await close();
    }
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()]);
    const csv = await readFile(await download.path(), 'utf8');
    const safe = /^[=+\-@]/.test(name) ? `'${name}` : name;
    assert.ok(csv.includes(`"${safe.replace(/"/g, '""')}"`), 'the CSV has it, quoted');

    await page.setViewportSize(NARROW);
    await page.goto(`/admin/people?tab=students&q=${encodeURIComponent(name)}`);
    await settled(page);
    for (const size of [NARROW, WIDE]) {
      await page.setViewportSize(size);
      assert.ok((await page.locator('tbody th .name').allTextContents()).includes(plain(name)));
      await calm(page, `people, ${size.width}`);
      await page.locator('tbody tr').first().getByRole('button').first().click();
      assert.equal(await dialog.getByLabel('Name', { exact: true }).inputValue(), name);
      await calm(page, `student, ${size.width}`);
      await close();
    }
  });

walk('names on a teacher’s phone are text', async (t, open) => {
  const teacher = await makeTeacher(NAMES.markup);
  for (const name of Object.values(NAMES)) await beginClass(teacher, name);
  const page = await open({ who: teacher.client, path: '/teacher/', size: NARROW });
  await settled(page);
  assert.deepEqual((await page.locator('.student h3').allTextContents()).sort(), Object.values(NAMES).map(plain).sort());
  await calm(page, 'teacher');
});

/** In the page: the texts that canvases are given. */
function noteWhatIsDrawn() {
  const { fillText } = CanvasRenderingContext2D.prototype;

  window.drawn = [];
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.drawn.push(text);
    return fillText.call(this, text, ...place);
  };
}

/** The chart has room for the busiest teachers only: these shall be. */
async function onlyOf(teachers, route) {
  const response = await route.fetch();
  const trends = await response.json();

  trends.teachers = trends.teachers.filter((row) => teachers.some(({ id }) => id === row.teacher.id));
  assert.equal(trends.teachers.length, teachers.length);
  await route.fulfill({ response, json: trends });
}

walk('names in the trends are text', async (t, open) => {
  const teachers = [];
  for (const name of Object.values(NAMES)) {
    teachers.push(await makeTeacher(name));
    await beginClass(teachers.at(-1), name);
  }
  const page = await open({ who: theAdmin(), path: '' });
  const chart = page.locator('.chart').nth(2);
  const legend = chart.locator('.u-legend .u-value').first();
  let shown;

  await page.addInitScript(noteWhatIsDrawn);
  await page.route('**/api/admin/trends?*', (route) => onlyOf(shown, route));
  for (shown of [teachers.slice(0, 4), teachers.slice(4)]) { // so many bars have room for the name of each
    const names = shown.map(({ name }) => plain(name)).sort();
    await page.mouse.move(0, 0); // what lies below it is pointed at as soon as it is drawn
    await page.goto('/admin/trends');
    await settled(page);
    const drawn = await page.evaluate(() => window.drawn);
    for (const name of names) {
      const label = name.length > 14 ? `${[...name].slice(0, 13).join('')}…` : name;
      assert.ok(drawn.includes(label), `the chart is given the name as text: ${label}`);
    }
    const bars = chart.locator('.u-over');
    const width = await bars.evaluate((place) => place.getBoundingClientRect().width);
    const told = [];
    for (const i of shown.keys()) {
      const before = await legend.textContent();
      await bars.hover({ position: { x: ((i + 0.5) * width) / shown.length, y: 20 } });
      await page.waitForFunction(([cell, text]) => cell.textContent !== text, [await legend.elementHandle(), before]);
      told.push(await legend.textContent());
      assert.equal(await chart.locator('.u-legend :not(table, tbody, tr, th, td, div)').count(), 0, 'which no name makes elements in');
    }
    assert.deepEqual(told.sort(), names, 'and its legend');
    for (const summary of await page.getByText('Numbers as a table').all()) await summary.click();
    assert.deepEqual((await chart.locator('.name').allTextContents()).sort(), names);
    await calm(page, 'trends');
  }
});
