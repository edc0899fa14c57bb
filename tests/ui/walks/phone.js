// Narrow screens, slow lines and lines that break: what somebody meets who is not at a desk.

import assert from 'node:assert/strict';
import { NARROW, app, isAccessible, makeStudent, makeTeacher, settled, theAdmin, walk } from '../lib/stage.js';

const refusal = (status, more = {}) => ({ status, contentType: 'application/problem+json', body: JSON.stringify({ title: 'no', status, detail: 'no', ...more }) });

/** The page under the academy's other name. */
const renamed = (page, name) => page.route('**/api/auth/me', async (route) => {
  const response = await route.fetch();
  const me = await response.json();
  await route.fulfill({ response, json: { ...me, academy: { ...me.academy, name } } });
});

walk('the menu of an academy with a long name opens within the screen', async (t, open) => {
  for (const [width, lang, larger] of [[320, 'en'], [360, 'ar'], [320, 'ar', 1.5], [320, 'en', 2]]) {
    const page = await open({ who: theAdmin(), path: '', size: { width, height: 640 }, lang });
    await renamed(page, 'Bright Minds Online Academy XY');
    await page.goto('/admin/packages');
    await settled(page);
    if (larger) await page.evaluate((times) => (document.documentElement.style.fontSize = `${16 * times}px`), larger);
    await page.locator('.menu summary').tap();
    await page.locator('.menu select').nth(1).waitFor(); // a tap is known after it was made, and what is chosen from comes later
    const { x, width: wide } = await page.locator('.menu > div').boundingBox();
    assert.ok(x >= 0 && x + wide <= width, `${lang}, text of ${larger ?? 1}: ${x} to ${x + wide} of ${width}`);
    await page.context().close();
  }
});

/** What the page shows of a link, and what it should show of it. */
const codes = (dialog) => dialog.evaluate(async (box) => {
  const { default: qrcode } = await import('/vendor/qrcode.js');
  const code = qrcode(0, 'L');
  let path = '';

  code.addData(box.querySelector('[name=share-link]').value);
  code.make();
  for (let y = 0; y < code.getModuleCount(); y++)
    for (let x = 0; x < code.getModuleCount(); x++) if (code.isDark(y, x)) path += `M${x} ${y}h1v1h-1z`;
  return [box.querySelector('.qr-code path').getAttribute('d') === path, box.querySelector('[name=share-link]').value];
});

walk('a second tap while a link is on its way asks for nothing; title, link and code are one person’s', async (t, open) => {
  const teacher = await makeTeacher();
  const name = `Two taps ${teacher.id}`;
  const students = [await makeStudent(teacher, `${name} A`), await makeStudent(teacher, `${name} B`)];
  const page = await open({ who: theAdmin(), path: `/admin/people?tab=students&q=${encodeURIComponent(name)}` });
  const dialog = page.getByRole('dialog', { name: /^Telegram of/ });
  const asked = [];
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  await page.route('**/api/admin/student-link', async (route) => {
    const { student_id: id } = route.request().postDataJSON();
    asked.push(id);
    await gate;
    await route.fulfill({ status: 201, json: { url: `https://t.me/school_bot?start=Of${id}`, expires_at: '2030-01-01T00:00:00Z' } });
  });
  await settled(page);
  const tap = (student) => page.getByRole('button', { name: `Connect Telegram ${student.name}` }).dispatchEvent('click');
  const first = page.waitForRequest('**/api/admin/student-link');
  await tap(students[0]);
  await first;
  await tap(students[1]);
  await tap(students[0]);
  assert.ok(await page.getByRole('button', { name: `Connect Telegram ${students[1].name}` }).isDisabled());
  go();
  for (const student of students) {
    if (student !== students[0]) await tap(student);
    await page.getByRole('dialog', { name: `Telegram of ${student.name}` }).locator('.qr-code path[d^=M]').waitFor();
    assert.deepEqual(await codes(dialog), [true, `https://t.me/school_bot?start=Of${student.id}`]);
    // Whoever was connected meanwhile is shown so.
    const list = page.waitForRequest('**/api/admin/students?*');
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await list;
  }
  assert.deepEqual(asked, students.map(({ id }) => id));
});

walk('a code that does not come is said to be missing', async (t, open) => {
  const student = await makeStudent(await makeTeacher(), `No code ${Date.now()}`);
  const page = await open({ who: theAdmin(), path: `/admin/people?tab=students&q=${encodeURIComponent(student.name)}` });
  const dialog = page.getByRole('dialog');
  await page.route('**/api/admin/student-link', (route) => route.fulfill({ status: 201, json: { url: 'https://t.me/school_bot?start=A', expires_at: '2030-01-01T00:00:00Z' } }));
  await page.route('**/vendor/qrcode.js*', (route) => route.abort());
  await settled(page);
  await page.getByRole('button', { name: /^Connect/ }).click();
  await dialog.getByRole('status').getByText('No connection to the server.').waitFor();
  assert.equal(await dialog.locator('.qr-code').count(), 0);
  await page.unroute('**/vendor/qrcode.js*');
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('button', { name: /^Connect/ }).click();
  await dialog.locator('.qr-code path[d^=M]').waitFor();
});

walk('what a row’s button could not do is said in sight', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people', size: NARROW });
  await settled(page);
  await page.route('**/api/admin/teachers', (route) => route.fulfill(refusal(503)));
  await page.getByRole('button', { name: /^New (invitation|password)|^Reset/ }).last().tap();
  await page.getByRole('alert').getByText('The server is not available').waitFor();
  const seen = await page.getByRole('alert').evaluate((box) => {
    const { top, bottom } = box.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  assert.ok(seen);
  assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0, 'to load the list again would not do it');
});

walk('an invitation opened in a tab that shows another is that of the new address', async (t, open) => {
  const made = await theAdmin().post('/api/admin/teachers', { name: 'Pasted Over', email: `pasted-${Date.now()}@example.org` });
  const page = await open({ path: '/invite#an-old-one' });
  const password = async (one, two = one) => {
    await page.getByLabel('New password').fill(one);
    await page.getByLabel('The same password again').fill(two);
    await page.getByLabel('The same password again').press('Enter');
  };
  await password('a quiet river 7');
  await page.getByRole('heading', { name: 'This invitation no longer works' }).waitFor();
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);
  assert.equal(await focused(), 'H2', 'what became of it is heard');
  await page.evaluate((hash) => (location.hash = hash), made.invite_url.split('#')[1]);
  await password('a quiet river 7', 'another one');
  await page.getByText('The two passwords differ.').waitFor();
  assert.equal(await focused(), 'f-again');
  await password('password1');
  await page.locator('#f-password-error').waitFor();
  assert.equal(await focused(), 'f-password');
  await page.route('**/accept-invite', (route) => route.abort(), { times: 1 });
  await password('a quiet river 7');
  await page.getByRole('alert').waitFor();
  assert.equal(await focused(), 'BUTTON');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/teacher/');
});

const BROKEN = [['/', 'en', '/lib/login.js'], ['/', 'ar', '/lib/catalog/ar.js'], ['/admin/people', 'am', '/vendor/preact.js'], ['/invite#T', 'en', '/invite.js']];
const AGAIN = { en: 'Load it again.', ar: 'أعد تحميلها.', am: 'እንደገና ጫነው።' };
for (const [path, lang, script] of BROKEN)
  walk(`${path} without ${script} says so and offers to load it again`, async (t, open) => {
    const page = await open({ who: path.startsWith('/admin') ? theAdmin() : undefined, path: '', lang, size: NARROW });
    // That the catalog did not come is an error of the page's as well, and the walk would count it.
    if (script.includes('catalog')) page.removeAllListeners('pageerror');
    await page.route(`**${script}`, (route) => route.abort());
    await page.goto(path);
    const again = page.getByRole('alert').getByRole('button', { name: AGAIN[lang] });
    await again.waitFor();
    if (path !== '/') await isAccessible(page, `${path} without ${script}`);
    await page.unroute(`**${script}`);
    await again.tap();
    await again.waitFor({ state: 'detached' });
    await page.locator('main').waitFor();
  });

walk('a page that the server asks to come back soon slows down all the same', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  await page.clock.install();
  await page.goto('/admin/');
  await settled(page);
  await page.route('**/api/admin/teacher-sessions?*', (route) => route.fulfill({ ...refusal(503), headers: { 'Retry-After': '2' } }));
  await page.clock.pauseAt(Date.now() + 10_000);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  for (const seconds of [2, 5, 10]) {
    await page.getByText(`Next try in ${seconds} s`).waitFor();
    await page.clock.runFor(seconds * 1000 + 100);
  }
});

walk('a login that runs out on a broken line is asked for once the line is back', async (t, open) => {
  const who = app.client();
  await who.post('/api/auth/login', app.admin);
  const page = await open({ who, path: '/admin/' });
  const refresh = () => page.getByRole('button', { name: 'Refresh' }).click();
  await settled(page);
  await who.post('/api/auth/logout');
  await page.route('**/lib/login.js*', (route) => route.abort());
  await refresh();
  await page.getByText('No connection to the server.').waitFor();
  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  await page.unroute('**/lib/login.js*');
  // The page may try again by itself just then, and its dialog is in the way of the button.
  await Promise.race([dialog.waitFor(), refresh().catch(() => {}).then(() => dialog.waitFor())]);
  await dialog.getByLabel('Password').fill(app.admin.password);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('No connection to the server.').waitFor({ state: 'detached' });
});

walk('Back after signing out shows nothing of before', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/' });
  await settled(page);
  const back = () => page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await page.evaluate(() => localStorage.setItem('signed_in', '1'));
  await page.evaluate(() => (window.mark = 1));
  await back();
  await page.evaluate(() => localStorage.removeItem('signed_in'));
  assert.equal(await page.evaluate(() => window.mark), 1, 'who is signed in goes on');
  const loaded = page.waitForEvent('load');
  await back();
  await loaded;
});

walk('after a dialog the keyboard goes on where it was', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people' });
  const dialog = page.getByRole('dialog');
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label') || document.activeElement.tagName);
  await settled(page);
  await page.getByRole('button', { name: 'Add teacher' }).click();
  await dialog.getByLabel('Name').fill('Somebody New');
  await dialog.getByLabel('E-mail').fill('somebody@example.org');
  await page.route('**/api/admin/teachers', (route) => route.fulfill(refusal(503)));
  await dialog.getByRole('button', { name: 'Save' }).press('Enter');
  await dialog.getByRole('alert').waitFor();
  assert.equal(await focused(), 'Save');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByLabel(/^Menu of/).press('Enter');
  await page.getByRole('button', { name: 'Change password' }).press('Enter');
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.match(await focused(), /^Menu of/);
});
