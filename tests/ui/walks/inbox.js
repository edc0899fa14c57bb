// Zoom meetings that are nobody's class, and an admin's word about them.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { NARROW, app, click, fits, isAccessible, makeStudent, send, settled, shot, stray, theAdmin, walk } from '../lib/stage.js';

const item = (page, id) => page.locator('.meetings li').filter({ hasText: `${id.slice(0, 3)} ${id.slice(3, 7)} ${id.slice(7)}` });

walk('a meeting without a session is assigned to its class, and taken back', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { teacher, student, id, session } = await stray();
  const page = await open({ who: theAdmin(), path: '/admin/attention?kind=event_without_session' });
  await settled(page);
  await page.locator('.items').getByRole('link', { name: 'Zoom meetings' }).first().click();
  await page.waitForURL('**/admin/zoom-inbox');
  await settled(page);
  await isAccessible(page, 'the inbox');
  await shot(page, 'inbox');
  await item(page, id).getByRole('button', { name: 'Assign to a class' }).click();
  const dialog = page.getByRole('dialog', { name: 'Assign to a class' });
  await dialog.getByLabel('Search').fill(student.name);
  await page.waitForFunction(() => document.querySelectorAll('.classes input').length === 1);
  await dialog.getByLabel(new RegExp(student.name)).check();
  await isAccessible(page, 'assigning a meeting');
  await shot(page, 'inbox-assign');
  await dialog.getByRole('button', { name: 'Assign to a class' }).click();
  assert.ok(await dialog.getByLabel('Reason').evaluate((input) => !input.validity.valid), 'no reason, no assignment');
  await dialog.getByLabel('Reason').fill('Held on the teacher’s own link');
  await dialog.getByRole('button', { name: 'Assign to a class' }).click();
  await dialog.waitFor({ state: 'detached' });
  await item(page, id).waitFor({ state: 'detached' });

  // The minutes are Zoom's now, and the panel tells by which evidence, and who was there.
  await page.goto(`/admin/?teacher_id=${teacher.id}&session=${session}`);
  const panel = page.getByRole('dialog', { name: student.name });
  await panel.locator('.badge.ended').waitFor();
  await panel.locator('.timeline li.zoom_ended').waitFor(); // until then the panel knows the list's row alone
  assert.match(await panel.locator('.facts').textContent(), /In the meetingTeacher 24 min, student 24 min, both 24 min/);
  assert.match(await panel.locator('.explanation').textContent(), /^25 min: opened .* both present .* ended .* by Zoom\.$/);
  assert.match(await panel.locator('.timeline li.clicked').textContent(), /decides the start/);
  assert.match(await panel.locator('.timeline li.zoom_ended').textContent(), /decides the end/);
  assert.equal(await panel.locator('.decides').count(), 2);
  await panel.getByText('Held on the teacher’s own link').waitFor();
  await isAccessible(page, 'a panel with presence');
  await shot(page, 'panel-presence');

  await panel.getByRole('link', { name: 'Zoom meetings of this class' }).click();
  await settled(page);
  await page.getByRole('link', { name: `Meetings of session` }).waitFor();
  await item(page, id).getByRole('button', { name: 'Take back' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('It was another class');
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await item(page, id).waitFor({ state: 'detached' });
  await page.goto(`/admin/?teacher_id=${teacher.id}`);
  await settled(page);
  await page.locator('tbody .badge.active').waitFor();
});

walk('a meeting that was no class is put aside, found again, assigned and moved', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { teacher, student, id } = await stray();
  const other = await makeStudent(teacher, `Other ${randomUUID()}`);
  await click(await send(teacher, other));
  const page = await open({ who: theAdmin(), path: '/admin/zoom-inbox', size: NARROW });
  const dialog = page.getByRole('dialog');
  const save = async (name) => {
    await dialog.getByLabel('Reason').fill(`Because: ${name}`);
    await dialog.getByRole('button', { name }).tap();
    await dialog.waitFor({ state: 'detached' });
  };
  const choose = async (button, who) => {
    await item(page, id).getByRole('button', { name: button }).tap();
    await dialog.getByLabel('Search').fill(who.name);
    await page.waitForFunction(() => document.querySelectorAll('.classes input').length === 1);
    await dialog.getByLabel(new RegExp(who.name)).check();
    await fits(page);
    await save(button);
  };

  await settled(page);
  await fits(page);
  await item(page, id).getByRole('button', { name: 'Put aside' }).tap();
  await save('Put aside');
  await item(page, id).waitFor({ state: 'detached' });
  assert.ok(await page.evaluate(() => document.activeElement.matches('.meetings button, h1')), 'the next one, or what they are');
  await page.getByRole('button', { name: 'Put aside' }).first().tap();
  await page.waitForURL(/state=dismissed/);
  await item(page, id).getByText('Because: Put aside').waitFor();
  await isAccessible(page, 'what was put aside');
  await choose('Assign to a class', student);
  await page.getByRole('button', { name: 'Assigned', exact: true }).tap();
  await item(page, id).getByRole('link', { name: student.name }).waitFor();
  await choose('Another class', other);
  await item(page, id).getByRole('link', { name: other.name }).waitFor();
  await isAccessible(page, 'what is assigned');
});

walk('an inbox of nothing says so, a refusal keeps what was typed', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { id } = await stray();
  const page = await open({ who: theAdmin(), path: '/admin/zoom-inbox' });
  await settled(page);
  await page.route('**/api/admin/zoom-inbox', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"title":"no","status":503}' }));
  await item(page, id).getByRole('button', { name: 'Put aside' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('Typed with care');
  await dialog.getByRole('button', { name: 'Put aside' }).click();
  await dialog.getByText('The server is not available at the moment.').waitFor();
  assert.equal(await dialog.getByLabel('Reason').inputValue(), 'Typed with care');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.route('**/api/admin/zoom-inbox?*', (route) => route.fulfill({ json: { occurrences: [], more: false } }));
  await page.getByRole('button', { name: 'Assigned', exact: true }).click();
  await page.getByRole('heading', { name: 'No meetings here' }).waitFor();
  await isAccessible(page, 'an empty inbox');
});

walk('the classes offered for a meeting are the nearest of all, and Enter searches', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { teacher, id, student } = await stray();
  const [u, other] = [student.name.split(' ')[1], randomUUID()];
  for (const name of [`Later ${u}`, `Other ${other}`]) await send(teacher, await makeStudent(teacher, name));
  const page = await open({ who: theAdmin(), path: '/admin/zoom-inbox' });
  const dialog = page.getByRole('dialog');
  const offered = (n, name) => page.waitForFunction(([wanted, text]) => {
    const classes = [...document.querySelectorAll('.classes label')];
    return classes.length === wanted && classes[0].textContent.includes(text);
  }, [n, name]);
  let saved = 0;
  await page.route('**/api/admin/zoom-inbox', (route) => {
    saved++;
    return route.abort();
  });
  // An answer has one class here, not the newest 200.
  await page.route((url) => url.searchParams.get('q') === u, (route) =>
    route.continue({ url: route.request().url().replace('limit=200', 'limit=1') }));
  await settled(page);
  await item(page, id).getByRole('button', { name: 'Assign to a class' }).click();
  await dialog.getByLabel('Search').fill(u);
  await offered(2, student.name);
  await dialog.getByLabel(new RegExp(student.name)).check();
  await dialog.getByLabel('Reason').fill('Held on the teacher’s own link');
  await dialog.getByLabel('Search').fill(other);
  await dialog.getByLabel('Search').press('Enter');
  await offered(1, other);
  assert.equal(saved, 0);
});
