// Teachers and students: added, edited, invited, imported.

import assert from 'node:assert/strict';
import { NARROW, PASSWORD, ZOOM_URL, app, changesOf, isAccessible, makeStudent, makeTeacher, settled, speak, theAdmin, walk } from '../lib/stage.js';

const row = (page, name) => page.locator('table.people tbody tr').filter({ hasText: name });
const unique = () => `${Date.now()}-${Math.random().toString(36).slice(2, 8)}`;

walk('a teacher is added and gets an invitation that works', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people' });
  const name = `Tigist ${unique()}`;
  await settled(page);
  await page.getByRole('button', { name: 'Add teacher' }).click();
  let dialog = page.getByRole('dialog');
  await isAccessible(page, 'add teacher');
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByLabel('E-mail').fill(app.admin.email);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.locator('#f-email-error').waitFor();
  assert.equal(await dialog.getByLabel('Name').inputValue(), name, 'what was typed stays');
  await dialog.getByLabel('E-mail').fill(`${unique()}@example.org`);
  await dialog.getByRole('button', { name: 'Save' }).click();
  dialog = page.getByRole('dialog', { name: /^Invitation for/ });
  await dialog.getByRole('img', { name: 'QR code of the link' }).waitFor();
  const link = await dialog.getByLabel('Link', { exact: true }).inputValue();
  assert.match(link, new RegExp(`^${app.url}/invite#`));
  await isAccessible(page, 'invitation');
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await row(page, name).getByText('Invited').waitFor();

  await app.client().post('/api/auth/accept-invite', { token: link.split('#')[1], password: PASSWORD });
  await page.reload();
  await row(page, name).getByText('Active', { exact: true }).waitFor();
});

walk('disabling a teacher ends the login; the name stays with past classes', async (t, open) => {
  const teacher = await makeTeacher(`Leaving ${unique()}`);
  const page = await open({ who: theAdmin(), path: `/admin/people?q=${encodeURIComponent(teacher.name)}` });
  await settled(page);
  await row(page, teacher.name).getByRole('button', { name: /^Edit/ }).click();
  await page.getByRole('dialog').getByLabel('Disabled').check();
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await row(page, teacher.name).getByText('Disabled').waitFor();
  assert.equal((await teacher.client.request('GET', '/api/auth/me')).status, 401);
});

walk('a student is added, found, edited', async (t, open) => {
  const teacher = await makeTeacher();
  const page = await open({ who: theAdmin(), path: '/admin/people?tab=students' });
  const name = `Liya ${unique()}`;
  await settled(page);
  await page.getByRole('button', { name: 'Add student' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByLabel('Teacher').selectOption(String(teacher.id));
  await dialog.getByLabel('Package').selectOption('Europe');
  await dialog.getByLabel('Language of messages').selectOption('am');
  await dialog.getByLabel('Zoom link').fill('https://example.org/not-zoom');
  await dialog.getByLabel('Note').fill('Mornings only');
  await isAccessible(page, 'add student');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.locator('#f-zoom_url-error').waitFor();
  assert.equal(await dialog.getByLabel('Note').inputValue(), 'Mornings only');
  await dialog.getByLabel('Zoom link').fill('us02web.zoom.us/j/8123456789');
  // The answer is lost on its way: saving again makes no second student.
  let lost = 0;
  await page.route('**/api/admin/students', async (route) => {
    if (lost || route.request().method() !== 'POST') return route.fallback();
    lost = (await route.fetch()).status();
    return route.abort();
  });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('No connection to the server.').waitFor();
  assert.equal(lost, 201);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByPlaceholder('Part of a name').fill(name);
  await page.waitForURL(/q=/);
  await page.waitForFunction(() => document.querySelectorAll('table.people tbody tr').length === 1);
  assert.match(await row(page, name).textContent(), /Mornings only.*Europe.*አማርኛ.*Not connected/s);
  await row(page, name).getByRole('button', { name: /^Edit/ }).click();
  assert.equal(await dialog.getByLabel('Zoom link').inputValue(), 'https://us02web.zoom.us/j/8123456789');
  await dialog.getByLabel('Package').selectOption('');
  await dialog.getByLabel('Disabled').check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await row(page, name).getByText('No package').waitFor();
  await row(page, name).getByText('Left').waitFor();
});

walk('a student who gets another teacher leaves the room behind', async (t, open) => {
  const [former, next] = [await makeTeacher(), await makeTeacher()];
  const student = await makeStudent(former, `Rahel ${unique()}`, { zoom_url: ZOOM_URL });
  const page = await open({ who: theAdmin(), path: `/admin/people?tab=students&q=${encodeURIComponent(student.name)}` });
  const dialog = page.getByRole('dialog');
  const save = async (fill, shown) => {
    await row(page, student.name).getByRole('button', { name: /^Edit/ }).click();
    await fill();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await row(page, student.name).getByText(shown).waitFor(); // the next form is of this row
    return app.psql(`SELECT zoom_url FROM students WHERE id = ${student.id}`);
  };
  await settled(page);
  assert.equal(await save(() => dialog.getByLabel('Note').fill('Mornings'), 'Mornings'), ZOOM_URL);
  assert.equal(await save(() => dialog.getByLabel('Teacher').selectOption(String(next.id)), next.name), '');
  assert.equal(await save(() => dialog.getByLabel('Zoom link').fill(ZOOM_URL), next.name), ZOOM_URL);
});

/** The row of somebody, edited and saved; back when it is. */
async function edit(page, name, fill) {
  const dialog = page.getByRole('dialog');
  await row(page, name).getByRole('button', { name: /^Edit/ }).click();
  await fill(dialog);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  assert.equal(await dialog.count(), 0);
}

walk('a teacher edited in an old tab stays as disabled as others have made it', async (t, open) => {
  const teacher = await makeTeacher(`Leaving ${unique()}`);
  const page = await open({ who: theAdmin(), path: `/admin/people?q=${encodeURIComponent(teacher.name)}` });
  const changes = changesOf(page);
  const name = teacher.name.replace('Leaving', 'Gone');
  await settled(page);
  await theAdmin().patch('/api/admin/teachers', { id: teacher.id, disabled: true });
  await edit(page, teacher.name, (dialog) => dialog.getByLabel('Name').fill(name));
  assert.deepEqual(changes, [{ id: teacher.id, name }]);
  const { teachers } = await theAdmin().get(`/api/admin/teachers?q=${encodeURIComponent(name)}`);
  assert.deepEqual(teachers.map((row) => [row.name, row.disabled]), [[name, true]]);
});

walk('a student edited in an old tab keeps what others have changed; what nobody changed is no call', async (t, open) => {
  const [before, after] = [await makeTeacher(), await makeTeacher()];
  const student = await makeStudent(before, `Moved ${unique()}`, { zoom_url: ZOOM_URL, note: ' Two\r\nlines ' });
  const page = await open({ who: theAdmin(), path: `/admin/people?tab=students&q=${encodeURIComponent(student.name)}` });
  const changes = changesOf(page);
  await settled(page);
  await edit(page, student.name, () => {});
  assert.deepEqual(changes, []);
  await page.reload();
  await settled(page);
  const moved = { teacher_id: after.id, zoom_url: `${ZOOM_URL}9`, package_id: null, language: 'am', disabled: true };
  await theAdmin().patch('/api/admin/students', { id: student.id, ...moved });
  await edit(page, student.name, (dialog) => dialog.getByLabel('Note').fill('Mornings only'));
  assert.deepEqual(changes, [{ id: student.id, note: 'Mornings only' }]);
  const { students: [kept] } = await theAdmin().get(`/api/admin/students?q=${encodeURIComponent(student.name)}`);
  for (const [name, value] of Object.entries({ ...moved, note: 'Mornings only' })) assert.equal(kept[name], value, name);
});

walk('Escape does not throw away what was typed', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people?tab=students' });
  const dialog = page.getByRole('dialog');
  await settled(page);
  await page.getByRole('button', { name: 'Add student' }).click();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Add student' }).click();
  await dialog.getByLabel('Name').pressSequentially('Half a na');
  for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
  await dialog.getByRole('status').getByText('not saved yet').waitFor();
  const cut = await dialog.locator('.notice, .notice p').evaluateAll((all) => all.filter((e) => e.scrollWidth > e.clientWidth).length);
  assert.equal(cut, 0, 'what to do is said to the end');
  await isAccessible(page, 'a form that Escape does not close');
  await page.keyboard.type('me');
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'Half a name', 'the cursor stays as well');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
});

walk('while it is saved a form stays, for the answer is its own', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people' });
  const dialog = page.getByRole('dialog');
  let gate, go;
  await settled(page);
  for (const path of ['teachers', 'import'])
    await page.route(`**/api/admin/${path}`, async (route) => {
      if (route.request().method() !== 'POST') return route.fallback();
      await gate;
      return route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"title":"no","status":503}' });
    });
  const stays = async (save) => {
    gate = new Promise((resolve) => (go = resolve));
    await dialog.getByRole('button', { name: save }).click();
    for (const name of ['Cancel', 'Close']) assert.ok(await dialog.getByRole('button', { name }).isDisabled(), name);
    for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
    assert.equal(await dialog.getByRole('status').count(), 0, 'nothing is said of what is being saved');
    go();
    await dialog.getByText('The server is not available at the moment.').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  await page.getByRole('button', { name: 'Add teacher' }).click();
  await dialog.getByLabel('Name').fill('Half known');
  await dialog.getByLabel('E-mail').fill(`${unique()}@example.org`);
  await stays('Save');
  await page.getByRole('button', { name: 'Import CSV' }).click();
  await dialog.getByLabel('or paste it here').fill('name,email\n');
  await stays('Check');
});

walk('a teacher whose saving was not answered stands in the list behind the form', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people' });
  const dialog = page.getByRole('dialog');
  const name = `Lost ${unique()}`;
  await settled(page);
  let lost = 0;
  await page.route('**/api/admin/teachers', async (route) => {
    if (lost || route.request().method() !== 'POST') return route.fallback();
    lost = (await route.fetch()).status();
    return route.abort();
  });
  await page.getByRole('button', { name: 'Add teacher' }).click();
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByLabel('E-mail').fill(`${unique()}@example.org`);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('No connection to the server.').waitFor();
  assert.equal(lost, 201);
  await dialog.getByRole('button', { name: 'Save' }).click();
  assert.match(await dialog.locator('#f-email-error').textContent(), /account with this e-mail.*last try.*look in the list/);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await row(page, name).getByText('Invited').waitFor();
});

walk('connecting Telegram gives a link, or says why there is none', async (t, open) => {
  const student = await makeStudent(await makeTeacher(), `Sami ${unique()}`);
  const page = await open({ who: theAdmin(), path: `/admin/people?tab=students&q=${encodeURIComponent(student.name)}` });
  await settled(page);
  const button = row(page, student.name).getByRole('button', { name: /^Connect/ });
  await page.route('**/api/admin/student-link', (route) => route.fulfill({ status: 201, json: { url: 'https://t.me/school_bot?start=AbC123', expires_at: '2030-01-01T00:00:00Z' } }));
  await button.click();
  const dialog = page.getByRole('dialog', { name: /^Telegram of/ });
  assert.equal(await dialog.getByLabel('Link', { exact: true }).inputValue(), 'https://t.me/school_bot?start=AbC123');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.unroute('**/api/admin/student-link');
  await button.click();
  await page.locator('main .notice, dialog').first().waitFor();
});

walk('whoever connects a teacher’s Telegram is told whom the link is for', async (t, open) => {
  const teacher = await makeTeacher(`Meron ${unique()}`);
  const told = {
    en: [/^Connect/, /to the teacher and to nobody else.*can end their classes/],
    ar: [/^ربط تيليجرام/, /إلى المعلم وحده.*إنهاء حصصه/],
    am: [/^ቴሌግራም አገናኝ/, /ለመምህሩ ብቻ.*ክፍሎቹንም ማብቃት/],
  };
  const page = await open({ who: theAdmin(), path: `/admin/people?q=${encodeURIComponent(teacher.name)}` });
  await page.route('**/api/admin/teacher-link', (route) => route.fulfill({ status: 201, json: { url: 'https://t.me/school_bot?start=AbC123', expires_at: '2030-01-01T00:00:00Z' } }));
  for (const [lang, [button, about]] of Object.entries(told)) {
    if (lang !== 'en') await speak(page, lang);
    await settled(page);
    await row(page, teacher.name).getByRole('button', { name: button }).click();
    assert.match(await page.locator('dialog .share > p').first().textContent(), about);
  }
});

walk('an import shows each bad row by line before anything is taken', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people' });
  const [one, two] = [unique(), unique()];
  await settled(page);
  await page.getByRole('button', { name: 'Import CSV' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('or paste it here').fill(`name,email\nGood ${one},${one}@example.org\nBad ${two},no address\n`);
  await dialog.getByRole('button', { name: 'Check' }).click();
  await dialog.getByText(/1 row is good · 1 row has a problem/).waitFor();
  const bad = dialog.locator('.preview tbody tr').first();
  assert.match(await bad.textContent(), new RegExp(`^3Bad ${two}.+`));
  assert.equal(await dialog.getByRole('button', { name: /^Import/ }).count(), 0);
  await isAccessible(page, 'import, a bad row');
  for (let i = 0; i < 2; i++) await page.keyboard.press('Escape');
  await dialog.getByRole('status').getByText('not saved yet').waitFor();
  assert.equal(await bad.count(), 1, 'Escape throws nothing away');
  await dialog.getByLabel('or paste it here').fill(`name,email\nGood ${one},${one}@example.org\nBetter ${two},${two}@example.org\n`);
  await dialog.getByRole('button', { name: 'Check' }).click();
  await dialog.getByRole('button', { name: 'Import 2 rows' }).click();
  await dialog.getByText('2 rows were taken over.').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.getByPlaceholder('Part of a name').fill(`Better ${two}`);
  await row(page, `Better ${two}`).waitFor();
});

walk('a CSV file of students is read and imported', async (t, open) => {
  const teacher = await makeTeacher();
  const name = `Filed ${unique()}`;
  const page = await open({ who: theAdmin(), path: '/admin/people?tab=students' });
  await settled(page);
  await page.getByRole('button', { name: 'Import CSV' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('CSV file').setInputFiles({ name: 'students.csv', mimeType: 'text/csv', buffer: Buffer.from(`\ufeffname,teacher_email,package\r\n"${name}",${teacher.email},Europe\r\n`) });
  await page.waitForFunction(() => document.querySelector('dialog textarea').value.includes('teacher_email'));
  await dialog.getByRole('button', { name: 'Check' }).click();
  await dialog.getByRole('button', { name: 'Import 1 row' }).click();
  await dialog.getByText('1 row was taken over.').waitFor();
});

walk('a file in another encoding than UTF-8 is refused, not taken over in broken letters', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people' });
  const dialog = page.getByRole('dialog');
  const text = dialog.getByLabel('or paste it here');
  const choose = (...parts) => dialog.getByLabel('CSV file').setInputFiles({ name: 'teachers.csv', mimeType: 'text/csv', buffer: Buffer.concat(parts.map((part) => Buffer.from(part))) });
  const Mohamed = [0xe3, 0xcd, 0xe3, 0xcf]; // as windows-1256 has him, which Excel saves a "CSV" in
  await settled(page);
  await page.getByRole('button', { name: 'Import CSV' }).click();
  await text.fill('name,email\nOf before,before@example.org\n');
  await choose('name,email\n', Mohamed, `,${unique()}@example.org\n`);
  await page.waitForFunction(() => !document.querySelector('dialog textarea').value.includes('before'));
  assert.equal(await text.inputValue(), '');
  await dialog.locator('#f-file-error').getByText('CSV UTF-8').waitFor();
  assert.ok(await dialog.getByRole('button', { name: 'Check' }).isDisabled());
  await isAccessible(page, 'import, a file of another encoding');
  await choose('\ufeffname,email\nمحمد,mohamed@example.org\n');
  await page.waitForFunction(() => document.querySelector('dialog textarea').value.includes('\nمحمد,'));
  assert.equal(await dialog.locator('.error').count(), 0);
});

walk('what a check has found of a text is not told of another', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people' });
  const dialog = page.getByRole('dialog');
  const check = dialog.getByRole('button', { name: 'Check' });
  const fill = (csv) => dialog.getByLabel('or paste it here').fill(csv);
  const [one, two] = [unique(), unique()];
  await settled(page);
  await page.getByRole('button', { name: 'Import CSV' }).click();
  for (const change of [() => fill(`name,email\nBad ${two},no address\n`), () => dialog.getByLabel('Students').check()]) {
    let go;
    const gate = new Promise((resolve) => (go = resolve));
    await page.route('**/api/admin/import', async (route) => {
      await gate;
      await route.fallback();
    }, { times: 1 });
    await fill(`name,email\nGood ${one},${one}@example.org\n`);
    const asked = page.waitForRequest('**/api/admin/import');
    await check.click();
    await asked;
    await change();
    go();
    await page.waitForFunction(() => !document.querySelector('dialog footer button').disabled);
    assert.equal(await dialog.locator('.preview').count(), 0);
    assert.equal(await dialog.getByRole('button', { name: /^Import/ }).count(), 0);
  }
  await dialog.getByLabel('Teachers').check();
  await check.click();
  await dialog.getByRole('button', { name: 'Import 1 row' }).waitFor();
});

walk('a file is chosen, mended, chosen again, and not chosen', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people' });
  const dialog = page.getByRole('dialog');
  const file = dialog.getByLabel('CSV file');
  const choose = async (csv) => {
    const asked = page.waitForEvent('filechooser');
    await file.click();
    const chooser = await asked;
    assert.equal(await file.inputValue(), '', 'whatever is chosen is another file, also one of the same name');
    await chooser.setFiles({ name: 'teachers.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await page.waitForFunction((text) => document.querySelector('dialog textarea').value === text, csv);
  };
  await settled(page);
  await page.getByRole('button', { name: 'Import CSV' }).click();
  const givenUp = () => file.evaluate((input) => input.dispatchEvent(new Event('cancel', { bubbles: true })));
  await givenUp();
  assert.ok(await dialog.isVisible());
  await choose('name,mail\n');
  await choose('name,email\n');
  await givenUp();
  assert.equal(await dialog.getByRole('status').count(), 0, 'nobody wants to leave');
});

walk('people fit a phone', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people', size: NARROW });
  await settled(page);
  await page.getByRole('link', { name: 'Students' }).tap();
  await page.waitForURL(/tab=students/);
  await settled(page);
  await page.locator('table.people tbody tr').first().getByRole('button', { name: /^Edit/ }).tap();
  await page.getByRole('dialog').waitFor();
  await isAccessible(page, 'edit student on a phone');
});
