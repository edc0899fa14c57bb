// A hostile name is shown as text everywhere.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { ZOOM_URL, click, makeStudent, makeTeacher, send, settled, theAdmin, walk } from '../lib/stage.js';

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

/** In the page: the texts that canvases are given. */
function noteWhatIsDrawn() {
  const { fillText } = CanvasRenderingContext2D.prototype;

  window.drawn = [];
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.drawn.push(text);
    return fillText.call(this, text, ...place);
  };
}

/** The chart has room for the busiest teachers only: this one shall be. */
async function onlyOf({ id }, route) {
  const response = await route.fetch();
  const trends = await response.json();

  trends.teachers = trends.teachers.filter(({ teacher }) => teacher.id === id);
  assert.equal(trends.teachers.length, 1);
  await route.fulfill({ response, json: trends });
}

for (const [kind, name] of Object.entries(NAMES))
  walk(`a name of ${kind} is text`, async (t, open) => {
    const teacher = await makeTeacher(name);
    const student = await makeStudent(teacher, name, { zoom_url: ZOOM_URL, note: name });
    await click(await send(teacher, student));
    const page = await open({ who: theAdmin(), path: '' });
    const calm = async (where) => {
      assert.equal(await page.locator('img, script:not([src])').count(), 0, where);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${where} is ${over} px too wide`);
    };

    for (const size of [{ width: 1366, height: 768 }, { width: 360, height: 640 }]) {
      await page.setViewportSize(size);
      await page.goto(`/admin/?teacher_id=${teacher.id}`);
      await settled(page);
      assert.equal(await page.locator('tbody .c-student').textContent().then((s) => s.trim()), plain(name));
      await calm('sessions');
      await page.locator('tbody tr').click();
      await page.getByRole('dialog').locator('.timeline li').first().waitFor();
      assert.equal(await page.locator('#panel-title').textContent().then((s) => s.trim()), plain(name));
      await calm('panel');

      await page.goto(`/admin/people?tab=students&q=${encodeURIComponent(name)}`);
      await settled(page);
      assert.ok((await page.locator('tbody th .name').allTextContents()).includes(plain(name)));
      await calm('people');
      await page.locator('tbody tr').first().getByRole('button').first().click();
      assert.equal(await page.getByRole('dialog').getByLabel('Name', { exact: true }).inputValue(), name);
      await calm('student');
    }

    const [download] = await Promise.all([page.waitForEvent('download'), page.goto(`/admin/?teacher_id=${teacher.id}`).then(() => page.getByRole('link', { name: 'Export CSV' }).click())]);
    const csv = await readFile(await download.path(), 'utf8');
    const safe = /^[=+\-@]/.test(name) ? `'${name}` : name;
    assert.ok(csv.includes(`"${safe.replace(/"/g, '""')}"`), 'the CSV has it, quoted');

    await page.setViewportSize({ width: 1366, height: 768 });
    await page.addInitScript(noteWhatIsDrawn);
    await page.route('**/api/admin/trends?*', (route) => onlyOf(teacher, route));
    await page.goto('/admin/trends');
    await settled(page);
    const chart = page.locator('.chart').nth(2);
    const label = plain(name).length > 14 ? `${[...plain(name)].slice(0, 13).join('')}…` : plain(name);
    assert.ok((await page.evaluate(() => window.drawn)).includes(label), 'the chart is given the name as text');
    await chart.locator('.u-over').hover();
    assert.ok((await chart.locator('.u-legend .u-value').allTextContents()).includes(plain(name)), 'and its legend');
    assert.equal(await chart.locator('.u-legend :not(table, tbody, tr, th, td, div)').count(), 0, 'which no name makes elements in');
    for (const summary of await page.getByText('Numbers as a table').all()) await summary.click();
    assert.ok((await chart.locator('.name').allTextContents()).includes(plain(name)));
    await calm('trends');

    const phone = await open({ who: teacher.client, path: '/teacher/', size: { width: 360, height: 640 } });
    await settled(phone);
    assert.equal(await phone.locator('.student h3').textContent(), plain(name));
    assert.equal(await phone.locator('img').count(), 0);
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  });
