// The day's work on both screens, in English and Arabic, light and dark: by shape and place, not by words.

import assert from 'node:assert/strict';
import { NARROW, WIDE, ZOOM_URL, app, click, fits, isAccessible, makeStudent, makeTeacher, send, settled, shot, stray, theAdmin, walk } from '../lib/stage.js';
import { sample } from '../lib/sample.js';

const LOOKS = [
  { name: 'wide-en-dark', size: WIDE, lang: 'en', theme: 'dark' },
  { name: 'wide-ar-light', size: WIDE, lang: 'ar', theme: 'light' },
  { name: 'narrow-en-light', size: NARROW, lang: 'en', theme: 'light' },
  { name: 'narrow-ar-dark', size: NARROW, lang: 'ar', theme: 'dark' },
];

for (const { name, ...look } of sample(LOOKS, 1)) {
  /** Looks at a state of a page, and keeps its picture. */
  const lookAt = async (page, what) => {
    await fits(page, `${what}, ${name}`);
    await isAccessible(page, `${what}, ${name}`);
    await shot(page, `${name}-${what}`);
  };

  walk(`an admin’s work, ${name}`, async (t, open) => {
    const teacher = await makeTeacher();
    const student = await makeStudent(teacher);
    await click(await send(teacher, student));
    const page = await open({ who: theAdmin(), path: '/admin/', ...look });
    const dialog = page.locator('dialog');
    const save = () => dialog.locator('.primary').last().click();

    await settled(page);
    if (look.size === NARROW) await page.locator('.filters .more').click();
    await page.locator('[name=status]').selectOption('active');
    await page.waitForURL(/status=active/);
    await page.locator('[name=q]').fill(student.name);
    await page.waitForURL(/q=/);
    await settled(page);
    await lookAt(page, 'filtered');
    await page.locator('tbody tr').filter({ hasText: teacher.name }).first().click();
    await dialog.locator('.timeline li').nth(1).waitFor();
    await dialog.locator('.actions button').first().click();
    await dialog.locator('[name=reason]').fill('سبب · a reason');
    await lookAt(page, 'ending');
    await save();
    await dialog.locator('.badge.ended').waitFor();
    await lookAt(page, 'ended');

    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.locator('.tools button').click();
    await dialog.locator('footer').waitFor();
    await lookAt(page, 'auto-timeout');

    await page.goto('/admin/people?tab=students');
    await settled(page);
    await page.locator('.tools button').first().click();
    await dialog.locator('textarea').fill(`name,teacher_email\nGood,${teacher.email}\nBad,nobody@example.org\n`);
    await save();
    await dialog.locator('.preview .bad').waitFor();
    await lookAt(page, 'import');
    await page.goto('/admin/people');
    await settled(page);
    await page.locator('.tools .primary').click();
    await dialog.locator('[name=name]').fill('معلم جديد');
    await dialog.locator('[name=email]').fill(teacher.email);
    await save();
    await dialog.locator('[aria-invalid]').waitFor();
    await lookAt(page, 'refused');
    await page.goto('/admin/packages');
    await settled(page);
    await page.locator('.tools .primary').click();
    await lookAt(page, 'package');

    await page.goto('/admin/');
    await settled(page);
    const first = await page.locator('tbody tr').first().boundingBox();
    await page.route('**/api/**', (route) => route.abort());
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.locator('.fresh.failing').waitFor();
    await lookAt(page, 'away');
    assert.deepEqual(await page.locator('tbody tr').first().boundingBox(), first, 'trouble moves nothing');
  });

  walk(`trends and settings, ${name}`, async (t, open) => {
    const page = await open({ who: theAdmin(), path: '/admin/trends', ...look });
    await settled(page);
    await page.locator('.filters select').selectOption('days90');
    await page.waitForURL(/period=days90/);
    await settled(page);
    for (const summary of await page.locator('.chart summary').all()) await summary.click();
    await page.locator('.pay tbody tr').first().scrollIntoViewIfNeeded();
    await lookAt(page, 'pay');
    const over = await page.locator('.pay .scroll').evaluate((box) => box.scrollWidth - box.clientWidth);
    assert.ok(over <= 0, `what pay is made from is ${over} px too wide to read at once`);
    await page.locator('.filters select').selectOption('custom');
    await page.locator('[type=date]').first().fill('9999-12-31');
    await page.locator('#days-error').waitFor();
    await lookAt(page, 'trends-refused');

    await page.goto('/admin/settings');
    await settled(page);
    await page.locator('[name=time_zone]').fill('Nowhere/At_All');
    await page.locator('.notice.note').waitFor();
    await page.locator('.save .primary').click();
    await page.locator('#f-time_zone-error').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), 'time_zone', 'what is wrong is in sight');
    await lookAt(page, 'zone-refused');
  });

  walk(`the inbox of Zoom, ${name}`, async (t, open) => {
    if (!app.ours) return t.skip('needs the database');
    const { student, id } = await stray();
    const page = await open({ who: theAdmin(), path: '/admin/zoom-inbox', ...look });
    const meeting = page.locator('.meetings li').filter({ hasText: id.replace(/^(...)(....)(....)$/, '$1 $2 $3') });
    const dialog = page.locator('dialog');

    await settled(page);
    await meeting.locator('button').nth(1).click();
    await dialog.locator('[name=reason]').fill('ليس درسًا · no class');
    await lookAt(page, 'put-aside');
    await dialog.locator('.primary').click();
    await meeting.waitFor({ state: 'detached' });
    await page.goto('/admin/zoom-inbox?state=dismissed');
    await settled(page);
    await lookAt(page, 'aside');
    await meeting.locator('button').click();
    await dialog.locator('[name=q]').fill(student.name);
    await page.waitForFunction(() => document.querySelectorAll('.classes input').length === 1);
    await dialog.locator('.classes input').check();
    await dialog.locator('[name=reason]').fill('سبب · a reason');
    await lookAt(page, 'assigning');
    await dialog.locator('.primary').click();
    await meeting.waitFor({ state: 'detached' });
    await page.goto('/admin/zoom-inbox?state=assigned');
    await meeting.locator('.badge').waitFor();
    await lookAt(page, 'assigned');
  });

  walk(`a teacher’s work, ${name}`, async (t, open) => {
    const teacher = await makeTeacher();
    await makeStudent(teacher, 'سارة بيكيلي', { zoom_url: ZOOM_URL });
    const page = await open({ who: teacher.client, path: '/teacher/', ...look });
    const card = page.locator('.student');

    await settled(page);
    await card.locator('.primary').click();
    await card.locator('.delivery').waitFor();
    await lookAt(page, 'sent');
    await card.locator('.link-used .link').click();
    await card.locator('[name=zoom_url]').waitFor();
    await lookAt(page, 'another-link');
    await card.locator('form .buttons button').last().click();
    await card.locator('.buttons button').nth(1).click();
    await page.locator('dialog .qr-code path[d^=M]').waitFor();
    await lookAt(page, 'qr');
    const join_url = await page.locator('[name=share-link]').inputValue();
    await page.keyboard.press('Escape');
    await click({ join_url });
    await page.locator('.fresh button').click();
    await card.locator('.timer .stopwatch').waitFor();
    await lookAt(page, 'running');
    await card.locator('.danger').click();
    await card.locator('.danger.solid').click();
    await card.locator('.segments button').nth(1).click();
    await card.locator('.segments [aria-pressed=true]').waitFor();
    await card.locator('.attendance .link').click();
    await card.locator('[name=note]').fill('تأخر عشر دقائق');
    await lookAt(page, 'note');
    await card.locator('.attendance .primary').click();
    await card.locator('.quote').waitFor();
    await page.locator('.bar nav a').nth(1).click();
    await settled(page);
    await lookAt(page, 'month');
  });
}
