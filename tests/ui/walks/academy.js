// Packages and the academy's settings.

import assert from 'node:assert/strict';
import { app, changesOf, isAccessible, makeStudent, makeTeacher, send, settled, theAdmin, walk } from '../lib/stage.js';

const row = (page, name) => page.locator('table.people tbody tr').filter({ hasText: name });

walk('a package is added, refused twice, edited, retired', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/packages' });
  const name = `Trial ${Date.now()}`;
  const dialog = page.getByRole('dialog');

  await settled(page);
  for (const again of [false, true]) {
    await page.getByRole('button', { name: 'Add package' }).click();
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByLabel('Minutes', { exact: true }).fill('45');
    await dialog.getByLabel('Rate').fill('1e3');
    const rate = await dialog.getByLabel('Rate').evaluate((input) => [input.validity.patternMismatch, input.title]);
    assert.deepEqual(rate, [true, 'A number with at most two decimals, such as 12.50.']);
    await dialog.getByLabel('Rate').fill('12,50');
    await dialog.getByLabel('Currency').fill('eur');
    if (!again) await isAccessible(page, 'add package');
    await dialog.getByRole('button', { name: 'Save' }).click();
    if (again) await dialog.locator('#f-name-error').waitFor();
    else await dialog.waitFor({ state: 'detached' });
  }
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.match(await row(page, name).textContent(), /45 min10 minEUR.12\.500/);
  await row(page, name).getByRole('button', { name: /^Edit/ }).click();
  await dialog.getByLabel('Rate').fill('');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await row(page, name).getByText('No rate').waitFor();
  await row(page, name).getByRole('button', { name: /^Retire/ }).click();
  await row(page, name).getByText('Retired').waitFor();
  await row(page, name).getByRole('button', { name: /^Use again/ }).click();
  await row(page, name).getByText('Retired').waitFor({ state: 'detached' });
  await row(page, name).getByRole('button', { name: /^Retire/ }).click();
});

/** A package of an hour for 10.00 USD, in the list of packages. */
async function aPackage(t, open, kind) {
  const name = `${kind} ${Date.now()}`;
  await theAdmin().post('/api/admin/packages', { name, duration_minutes: 60, buffer_minutes: 10, rate: '10.00', currency: 'USD' });
  t.after(() => theAdmin().patch('/api/admin/packages', { id: name, retired: true }));
  const page = await open({ who: theAdmin(), path: '/admin/packages' });
  const changes = changesOf(page);
  await settled(page);
  return { name, page, changes, dialog: page.getByRole('dialog') };
}

walk('a package edited in an old tab keeps the rate that others have set', async (t, open) => {
  const { name, page, changes, dialog } = await aPackage(t, open, 'Old tab');
  await theAdmin().patch('/api/admin/packages', { id: name, rate: '12.50', currency: 'EUR' });
  await row(page, name).getByRole('button', { name: /^Edit/ }).click();
  await dialog.getByLabel('Buffer').fill('15');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await row(page, name).getByText('12.50').waitFor();
  assert.deepEqual(changes, [{ id: name, buffer_minutes: 15 }]);
  const { packages: [kept] } = await theAdmin().get(`/api/admin/packages?q=${encodeURIComponent(name)}`);
  assert.deepEqual([kept.duration_minutes, kept.buffer_minutes, kept.rate, kept.currency], [60, 15, '12.50', 'EUR']);
});

walk('a package is saved also where nothing differs, and its rate with its currency', async (t, open) => {
  const { name, page, changes, dialog } = await aPackage(t, open, 'Again');
  for (const [label, value] of [[null], ['Rate', '12'], ['Currency', 'EUR'], ['Buffer', '5']]) {
    await row(page, name).getByRole('button', { name: /^Edit/ }).click();
    if (label) await dialog.getByLabel(label).fill(value);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    if (label === 'Rate') await row(page, name).getByText('12.00').waitFor();
    if (label === 'Currency') await row(page, name).getByText('€').or(row(page, name).getByText('EUR')).first().waitFor();
  }
  assert.deepEqual(changes, [
    { id: name }, { id: name, rate: '12', currency: 'USD' }, { id: name, rate: '12.00', currency: 'EUR' }, { id: name, buffer_minutes: 5 },
  ]);
});

walk('a package that has a rate already is saved for its classes that have none', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const name = `Unpriced ${Date.now()}`;
  await theAdmin().post('/api/admin/packages', { name, duration_minutes: 60, buffer_minutes: 10, rate: null, currency: 'USD' });
  t.after(() => theAdmin().patch('/api/admin/packages', { id: name, retired: true }));
  const teacher = await makeTeacher();
  const { session } = await send(teacher, await makeStudent(teacher, 'Lidya', { package_id: name }));
  await app.psql(`UPDATE packages SET rate = 12.50 WHERE id = '${name}'`);
  const page = await open({ who: theAdmin(), path: '/admin/packages' });
  await settled(page);
  await row(page, name).getByRole('button', { name: /^Edit/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const { session: { package_rate } } = await theAdmin().get(`/api/admin/session-events?session_id=${session.id}`);
  assert.equal(package_rate, '12.50');
});

walk('a package that could not be retired says so where one looks', async (t, open) => {
  const { name, page } = await aPackage(t, open, 'Refused');
  const notice = page.locator('main').getByRole('alert');
  await page.setViewportSize({ width: 360, height: 400 });
  await page.route('**/api/admin/packages', (route) => route.abort(), { times: 1 });
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  const retire = row(page, name).getByRole('button', { name: /^Retire/ });
  await retire.click();
  await notice.waitFor();
  const place = await notice.boundingBox();
  assert.ok(place.y >= 0 && place.y + place.height <= 400, `at ${place.y}`);
  assert.equal(await notice.getByRole('button').count(), 0, 'to load the list again is not to try again');
  await retire.click();
  await row(page, name).getByText('Retired').waitFor();
  assert.equal(await notice.count(), 0);
});

walk('settings saved in an old tab keep what others have changed', async (t, open) => {
  const before = await theAdmin().get('/api/admin/settings');
  t.after(() => theAdmin().patch('/api/admin/settings', before));
  const page = await open({ who: theAdmin(), path: '/admin/settings' });
  const changes = changesOf(page);
  const save = async (label, value) => {
    await page.getByLabel(label, { exact: true }).fill(value);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
  };
  await save('Minutes', '50');
  await theAdmin().patch('/api/admin/settings', { default_duration_minutes: 55, default_buffer_minutes: 20, currency: 'EUR' });
  await save('Hours a link lives', '24');
  await theAdmin().patch('/api/admin/settings', { default_duration_minutes: 65, default_buffer_minutes: 25 });
  await save('Hours a link lives', '36');
  await save('Hours a link lives', '36');
  assert.deepEqual(changes, [{ default_duration_minutes: 50 }, { link_hours: 24 }, { link_hours: 36 }]);
  const wanted = { ...before, currency: 'EUR', default_duration_minutes: 65, default_buffer_minutes: 25, link_hours: 36 };
  assert.deepEqual(await theAdmin().get('/api/admin/settings'), wanted);
});

walk('a package whose saving was not answered stands in the list behind the form', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/packages' });
  const name = `Lost ${Date.now()}`;
  const dialog = page.getByRole('dialog');

  await settled(page);
  await page.route('**/api/admin/packages', async (route) => {
    await route.fetch();
    await route.abort();
  }, { times: 1 });
  await page.getByRole('button', { name: 'Add package' }).click();
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('No connection to the server.').waitFor();
  await dialog.getByRole('button', { name: 'Save' }).click();
  assert.match(await dialog.locator('#f-name-error').textContent(), /last try.*look in the list/);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await row(page, name).getByRole('button', { name: /^Retire/ }).click();
  await row(page, name).getByText('Retired').waitFor();
});

walk('settings are saved, and a change of zone says what it does', async (t, open) => {
  const before = await theAdmin().get('/api/admin/settings');
  t.after(() => theAdmin().patch('/api/admin/settings', before));
  const page = await open({ who: theAdmin(), path: '/admin/settings' });
  await page.getByLabel('Minutes', { exact: true }).fill('50');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  await page.getByLabel('Time zone').fill('Not/A_Zone');
  await page.getByText('Saved.').waitFor({ state: 'detached' });
  await page.getByText('A new zone moves no class and no minute.').waitFor();
  await page.getByText('the class may be in both or in neither').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#f-time_zone-error').waitFor();
  assert.equal(await page.locator('#f-time_zone-hint').count(), 0, 'it is said once');
  await isAccessible(page, 'settings, refused');
  await page.getByLabel('Time zone').fill('America/New_York');
  await page.getByText(/^There it is .*Eastern/).waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.wall', { hasText: 'Eastern' }).waitFor();
  assert.equal((await theAdmin().get('/api/admin/settings')).default_duration_minutes, 50);
});

/** A browser older than a zone, or whose makers have left it out. */
const withoutZone = (page, zone) => page.addInitScript((unknown) => {
  const { DateTimeFormat } = Intl;
  Intl.DateTimeFormat = function (tag, options) {
    if (options?.timeZone === unknown) throw new RangeError(`Invalid time zone specified: ${unknown}`);
    return new DateTimeFormat(tag, options);
  };
}, zone);

walk('a zone that the browser does not know breaks no page: its times are said to be in UTC', async (t, open) => {
  const before = await theAdmin().get('/api/admin/settings');
  t.after(() => theAdmin().patch('/api/admin/settings', before));
  const teacher = await makeTeacher();
  await send(teacher, await makeStudent(teacher));
  const page = await open({ who: theAdmin(), path: '' });
  const zone = page.getByLabel('Time zone');
  await withoutZone(page, 'America/Coyhaique');
  await page.goto('/admin/settings');
  await zone.fill('America/Coyhaique');
  await page.locator('#f-time_zone-hint').getByText(/does not know.*UTC/).waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  const said = page.getByRole('main').getByRole('alert').getByText(/America\/Coyhaique.*UTC/);
  await said.waitFor();
  await page.locator('.wall', { hasText: /UTC|Universal/ }).waitFor();
  await isAccessible(page, 'a zone that the browser does not know');
  for (const path of ['/admin/', '/admin/trends', '/admin/people']) {
    await page.goto(path);
    await said.waitFor();
    await settled(page);
  }
  const hers = await open({ who: teacher.client, path: '' });
  await withoutZone(hers, 'America/Coyhaique');
  await hers.goto('/teacher/');
  await hers.getByText(/America\/Coyhaique.*UTC/).waitFor();
  await settled(hers);

  await page.goto('/admin/settings');
  await zone.fill('Africa/Addis_Ababa');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.wall', { hasText: 'East Africa' }).waitFor();
  assert.equal(await said.count(), 0);
});
