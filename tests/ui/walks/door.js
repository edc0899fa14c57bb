// Signing in, out, and by invitation.

import assert from 'node:assert/strict';
import { PASSWORD, app, isAccessible, makeStudent, makeTeacher, rows, settled, theAdmin, walk } from '../lib/stage.js';

async function signIn(page, { email, password }) {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

walk('a wrong password says so and keeps the address', async (t, open) => {
  const page = await open();
  await signIn(page, { email: app.admin.email, password: 'not this one' });
  await page.getByRole('alert').getByText('E-mail or password is wrong').waitFor();
  assert.equal(await page.getByLabel('E-mail').inputValue(), app.admin.email);
  await isAccessible(page);
});

walk('who signs in lands where they wanted to go', async (t, open) => {
  const page = await open({ path: '/admin/?status=ended' });
  await page.waitForURL(/\/\?next=/);
  await signIn(page, app.admin);
  await page.waitForURL('**/admin/?status=ended');
  await page.getByRole('heading', { name: 'Sessions' }).waitFor();
});

walk('a next address of elsewhere is not followed', async (t, open) => {
  const page = await open({ path: '/?next=//example.org/admin/' });
  await signIn(page, app.admin);
  await page.waitForURL(`${app.url}/admin/`);
});

walk('a teacher lands on the teacher page, and is told that the admin page is not theirs', async (t, open) => {
  const page = await open();
  await signIn(page, await makeTeacher());
  await page.waitForURL('**/teacher/');
  await page.goto('/admin/');
  await page.getByRole('heading', { name: 'Not your page' }).waitFor();
  await page.getByRole('link', { name: 'To your own page' }).click();
  await page.waitForURL('**/teacher/');
});

walk('a browser without AbortSignal.timeout and any signs in, filters and teaches', async (t, open) => {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  for (const [who, url] of [[app.admin, '**/admin/'], [teacher, '**/teacher/']]) {
    const page = await open({ path: '' });
    await page.addInitScript(() => {
      delete AbortSignal.timeout;
      delete AbortSignal.any;
    });
    await page.goto('/');
    await signIn(page, who);
    await page.waitForURL(url);
    if (who === teacher) {
      await page.getByRole('article', { name: student.name }).waitFor();
      continue;
    }
    await page.getByLabel('Status').selectOption('timeout');
    await page.waitForURL(/status=timeout/);
    await page.locator('.badge.timeout').first().waitFor();
    await settled(page);
    assert.ok((await rows(page)).every(({ status }) => status === 'Timeout'));
  }
});

walk('signing in says so when the answer to who is there is lost, or refused, and can be tried again', async (t, open) => {
  const page = await open({ path: '/' });
  const ask = '**/api/auth/me';
  await page.route(ask, (route) => route.abort());
  await signIn(page, app.admin);
  await page.getByRole('alert').getByText('No connection to the server.').waitFor();
  await page.unroute(ask);
  await page.route(ask, (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"title":"no","status":401}' }));
  await page.getByLabel('Password').fill(app.admin.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('You are signed out.').waitFor();
  await page.unroute(ask);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/admin/');
});

walk('signing out ends the login', async (t, open) => {
  const teacher = await makeTeacher();
  const page = await open({ who: teacher.client, path: '/teacher/' });
  await page.getByLabel(/^Menu of/).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal((await teacher.client.request('GET', '/api/auth/me')).status, 401);
});

walk('the password is changed from the menu, and what is wrong is said at its input', async (t, open) => {
  const teacher = await makeTeacher();
  const page = await open({ who: teacher.client, path: '/teacher/' });
  await page.getByLabel(/^Menu of/).click();
  await page.getByRole('button', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Current password').fill('not this one');
  await dialog.getByLabel('New password').fill('another quiet river 8');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.locator('#f-current_password-error').waitFor();
  assert.equal(await dialog.getByLabel('New password').inputValue(), 'another quiet river 8');
  await isAccessible(page, 'change password');
  assert.equal(await dialog.getByLabel('New password').getAttribute('maxlength'), null);
  await dialog.getByLabel('Current password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Your password was changed.').waitFor();
});

walk('an invitation is used once', async (t, open) => {
  const email = `new-${Date.now()}@example.org`;
  const { invite_url: link } = await theAdmin().post('/api/admin/teachers', { name: 'New Hand', email });
  const page = await open({ path: link });
  const long = `${PASSWORD}-`.repeat(20); // as a password manager pastes it: none of it may be lost
  await page.getByLabel('New password').focus();
  await page.keyboard.insertText(long);
  await page.getByLabel('The same password again').fill('something else');
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByText('The two passwords differ.').waitFor();
  await isAccessible(page);
  await page.getByLabel('The same password again').fill(long);
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.waitForURL('**/teacher/');
  await app.client().post('/api/auth/login', { email, password: long });
  await page.getByText('You have no students yet').waitFor();

  const again = await open({ path: link });
  await again.getByLabel('New password').fill(PASSWORD);
  await again.getByLabel('The same password again').fill(PASSWORD);
  await again.getByRole('button', { name: 'Set password' }).click();
  await again.getByRole('heading', { name: 'This invitation no longer works' }).waitFor();
  await isAccessible(again);
});
