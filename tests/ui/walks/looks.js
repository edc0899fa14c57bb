// Every page at every size, language and colour: fits, accessible, and a picture to look at.

import assert from 'node:assert/strict';
import { NARROW, WIDE, ZOOM_URL, click, fits, isAccessible, makeStudent, makeTeacher, send, settled, shot, theAdmin, walk } from '../lib/stage.js';
import { sample } from '../lib/sample.js';

const LOOKS = [
  { name: 'wide-en-light', size: WIDE, lang: 'en', theme: 'light' },
  { name: 'wide-ar-dark', size: WIDE, lang: 'ar', theme: 'dark' },
  { name: 'narrow-ar-light', size: NARROW, lang: 'ar', theme: 'light' },
  { name: 'narrow-en-dark', size: NARROW, lang: 'en', theme: 'dark' },
  { name: 'narrow-am-light', size: NARROW, lang: 'am', theme: 'light' },
];
const ADMIN = { sessions: '/admin/', attention: '/admin/attention', inbox: '/admin/zoom-inbox', teachers: '/admin/people', students: '/admin/people?tab=students', packages: '/admin/packages', trends: '/admin/trends', settings: '/admin/settings' };

for (const { name, ...look } of sample(LOOKS, 2)) {
  walk(`the door, ${name}`, async (t, open) => {
    const page = await open({ path: '', ...look });
    for (const target of ['/', '/invite', '/invite#token']) {
      await page.goto('about:blank'); // else another # alone makes the page load itself, meanwhile
      await page.goto(target);
      await page.locator('main form, main a.button').first().waitFor();
      await fits(page);
      await isAccessible(page);
      await shot(page, `${name}-door${target.replace(/\W+/g, '-')}`);
    }
  });

  walk(`the admin’s pages, ${name}`, async (t, open) => {
    const page = await open({ who: theAdmin(), path: '', ...look });
    for (const [title, target] of Object.entries(ADMIN)) {
      await page.goto(target);
      await settled(page);
      await fits(page);
      await isAccessible(page);
      await shot(page, `${name}-${title}`, { fullPage: title === 'trends' });
    }
    await page.locator('.menu summary').click();
    await isAccessible(page, 'menu');
    await shot(page, `${name}-menu`);
    await page.goto('/admin/?period=all&status=timeout');
    await settled(page);
    await page.locator('tbody a').first().click();
    await page.locator('.timeline li').first().waitFor();
    await isAccessible(page, 'panel');
    await shot(page, `${name}-panel`);
  });

  walk(`the teacher’s pages, ${name}`, async (t, open) => {
    const teacher = await makeTeacher();
    const students = [];
    for (const who of ['Sara Bekele', 'ዳዊት ከበደ', 'مريم يوسف', 'Elsa Nyström']) students.push(await makeStudent(teacher, who, { zoom_url: ZOOM_URL }));
    await click(await send(teacher, students[0]));
    await send(teacher, students[1]);
    const ended = await send(teacher, students[2]);
    await click(ended);
    await teacher.client.post('/api/teacher/session', { session_id: ended.session.id, action: 'end' });
    const page = await open({ who: teacher.client, path: '/teacher/', ...look });
    await settled(page);
    await fits(page);
    await isAccessible(page);
    await shot(page, `${name}-teacher`, { fullPage: true });
    await page.goto('/teacher/?view=history');
    await settled(page);
    await fits(page);
    await isAccessible(page);
    await shot(page, `${name}-history`);
  });
}

for (const lang of ['en', 'ar'])
  walk(`clock and menu stand at the end of the bar at 200 %, ${lang}`, async (t, open) => {
    const page = await open({ who: theAdmin(), path: '/admin/', lang, size: { width: 683, height: 384 } });
    await settled(page);
    const menu = await page.locator('.menu summary').boundingBox();
    const rest = lang === 'ar' ? menu.x : 683 - menu.x - menu.width;
    assert.ok(rest < 40, `${rest} px from the end`);
    const wall = await page.locator('.wall').boundingBox();
    const apart = lang === 'ar' ? wall.x - menu.x - menu.width : menu.x - wall.x - wall.width;
    assert.ok(apart >= 0 && apart < 40, `${apart} px apart`);
  });
