// When something fails, a message says what to do, and nothing typed is lost.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { NARROW, PASSWORD, ZOOM_URL, app, click, fits, isAccessible, makeStudent, makeTeacher, rows, send, settled, theAdmin, walk } from '../lib/stage.js';
import { sample } from '../lib/sample.js';

const problem = (status, detail = 'no') => ({ status, contentType: 'application/problem+json', body: JSON.stringify({ title: 'no', status, detail }) });

/** The admin as a browser of its own, whose login may end. */
async function anAdmin() {
  const client = app.client();
  await client.post('/api/auth/login', app.admin);
  return client;
}

walk('the server away and back: the list says so, stays, and recovers by itself', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  await page.clock.install();
  await page.goto('/admin/');
  await settled(page);
  const before = await rows(page);
  await page.route('**/api/**', (route) => route.abort());
  await page.clock.fastForward('00:31');
  await page.getByText('No connection to the server.').waitFor();
  await page.getByText(/^Shown as of/).waitFor();
  await page.getByText(/^Next try in/).waitFor();
  assert.equal((await rows(page)).length, before.length);
  await isAccessible(page, 'server away');
  await fits(page);
  await page.unroute('**/api/**');
  await page.clock.fastForward('00:31');
  await page.getByText('No connection to the server.').waitFor({ state: 'detached' });
  await page.getByText(/^Updated/).waitFor();
});

walk('the instance stopped and started', async (t, open) => {
  if (!app.restartable) return t.skip('not an instance of our own');
  const page = await open({ who: theAdmin(), path: '/admin/people?tab=students' });
  await settled(page);
  await page.getByRole('button', { name: 'Add student' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Typed before the storm');
  await dialog.getByLabel('Teacher').selectOption({ index: 1 });
  await app.down();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('No connection to the server. Nothing you entered is lost').waitFor();
  await app.up();
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'Typed before the storm');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
});

walk('a login that ran out asks for the password and goes on', async (t, open) => {
  const who = await anAdmin();
  const teacher = await makeTeacher();
  await click(await send(teacher, await makeStudent(teacher)));
  const page = await open({ who, path: `/admin/?teacher_id=${teacher.id}` });
  await settled(page);
  await page.locator('tbody a').click();
  const panel = page.locator('dialog.panel');
  await panel.getByRole('button', { name: 'End class' }).click();
  await panel.getByLabel('Reason').fill('Typed before the login ran out');
  // The login ends at the very moment of the click, before any poll can notice.
  await page.route('**/api/admin/session', async (route) => {
    await who.post('/api/auth/logout');
    await route.continue();
  }, { times: 1 });
  await panel.getByRole('button', { name: 'End class' }).click();
  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  assert.equal(await dialog.getByLabel('E-mail').inputValue(), app.admin.email);
  await isAccessible(page, 'signing in again');
  await dialog.getByLabel('Password').fill('wrong');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Password').fill(app.admin.password);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await panel.getByText('Typed before the login ran out').waitFor();
  await panel.locator('.badge.ended').waitFor();
});

walk('a poll that finds the login gone asks too, once', async (t, open) => {
  const who = await anAdmin();
  const page = await open({ who, path: '/admin/' });
  await settled(page);
  await who.post('/api/auth/logout');
  await page.evaluate(() => dispatchEvent(new Event('online')));
  const dialogs = page.getByRole('dialog', { name: 'Please sign in again' });
  await dialogs.first().waitFor();
  assert.equal(await dialogs.count(), 1);
  await dialogs.getByLabel('Password').fill(app.admin.password);
  await dialogs.getByRole('button', { name: 'Sign in' }).click();
  await dialogs.waitFor({ state: 'detached' });
  await settled(page);
});

walk('Escape does not send the question for the password away', async (t, open) => {
  const who = await anAdmin();
  const page = await open({ who, path: '/admin/people?tab=students' });
  await settled(page);
  await page.getByRole('button', { name: 'Add student' }).click();
  const form = page.getByRole('dialog', { name: 'Add student' });
  await form.getByLabel('Name').fill('Typed before the login ran out');
  await form.getByLabel('Teacher').selectOption({ index: 1 });
  await who.post('/api/auth/logout');
  await form.getByRole('button', { name: 'Save' }).click();
  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  await dialog.waitFor();
  for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
  // As the gesture "back" of a phone does, which no page may refuse twice.
  await page.evaluate(() => [...document.querySelectorAll('dialog')].at(-1).close());
  await dialog.getByLabel('Password').fill(app.admin.password);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Saved.').waitFor();
});

/** An admin's page whose login has ended; in its question a teacher's name and password. */
async function askedAnew(open) {
  const who = await anAdmin();
  const teacher = await makeTeacher();
  const page = await open({ who, path: '/admin/' });
  await settled(page);
  await who.post('/api/auth/logout');
  await page.getByRole('button', { name: 'Refresh' }).dispatchEvent('click'); // a poll may have asked before, and its question covers it
  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  await dialog.getByLabel('E-mail').fill(teacher.email);
  await dialog.getByLabel('Password').fill(PASSWORD);
  return { page, dialog };
}

walk('somebody else who signs in sees nothing of the page before', async (t, open) => {
  const { page, dialog } = await askedAnew(open);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Not your page' }).waitFor();
  assert.equal(await page.locator('table.sessions').count(), 0);
});

walk('an answer that does not come is given up, at another question or after half a minute', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  await page.clock.install();
  await page.addInitScript(() => {
    const real = fetch;
    window.asks = [];
    window.fetch = (path, options) => {
      window.asks.push({ path, signal: options.signal });
      return real(path, options);
    };
  });
  await page.goto('/admin/');
  await settled(page);
  const given = (status) => page.evaluate((s) => window.asks.filter(({ path }) => path.includes(`status=${s}`)).map(({ signal }) => signal.aborted), status);
  await page.route(/teacher-sessions\?.*status=(ended|timeout)/, () => {});
  for (const status of ['ended', 'timeout']) {
    const asked = page.waitForRequest(new RegExp(`status=${status}`));
    await page.getByLabel('Status').selectOption(status);
    await asked;
  }
  assert.deepEqual([await given('ended'), await given('timeout')], [[true], [false]]);
  await page.clock.fastForward('00:31');
  await page.getByText('No connection to the server.').waitFor();
  assert.equal((await given('timeout'))[0], true);
});

for (const target of ['/admin/', '/admin/trends'])
  walk(`an export at ${target} after the login ran out asks for the password and comes`, async (t, open) => {
    const who = await anAdmin();
    const page = await open({ who, path: target });
    await settled(page);
    await page.route('**/api/auth/me', async (route) => { // as above, at the very moment of the click
      await who.post('/api/auth/logout');
      await route.continue();
    }, { times: 1 });
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export CSV' }).click();
    const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
    await dialog.getByLabel('Password').fill(app.admin.password);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    assert.ok((await readFile(await (await download).path(), 'utf8')).startsWith('\ufeff"'));
    await page.route('**/api/auth/me', (route) => route.abort());
    await page.route('**/api/admin/**', () => {}); // the answer to a poll would take what is said back
    await page.getByRole('link', { name: 'Export CSV' }).click();
    await page.getByRole('status').getByText('No connection to the server.').waitFor();
  });

walk('nobody is let into the page before as long as it is not known who they are', async (t, open) => {
  const { page, dialog } = await askedAnew(open);
  await page.route('**/api/auth/me', (route) => route.abort());
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByRole('alert').getByText('No connection to the server.').waitFor();
  await page.unroute('**/api/auth/me');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Not your page' }).waitFor();
});

const SAID = {
  403: 'You may not do this with this account.',
  429: 'Too many tries.',
  500: 'Something went wrong on the server.',
  503: 'The server is not available at the moment.',
};
walk('an answer of trouble says what to do and keeps what was typed', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/people' });
  let status;
  await settled(page);
  await page.route('**/api/admin/teachers', (route) => (route.request().method() === 'POST' ? route.fulfill(problem(status)) : route.fallback()));
  await page.getByRole('button', { name: 'Add teacher' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Somebody New');
  await dialog.getByLabel('E-mail').fill('somebody@example.org');
  for (const [answer, said] of Object.entries(SAID)) {
    status = Number(answer);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').getByText(said).waitFor();
    assert.equal(await dialog.getByLabel('Name').inputValue(), 'Somebody New', answer);
  }
  await isAccessible(page, 'an answer of trouble');
});

for (const target of sample(['/admin/', '/admin/attention', '/admin/zoom-inbox', '/admin/people', '/admin/packages', '/admin/trends', '/admin/settings'], 3))
  walk(`${target} that cannot be loaded says so and offers another try`, async (t, open) => {
    const page = await open({ who: theAdmin(), path: '' });
    await page.route(/\/api\/admin\//, (route) => route.fulfill(problem(500)));
    await page.goto(target);
    await page.getByText('Something went wrong on the server.').first().waitFor();
    await isAccessible(page, `${target} in error`);
    await page.unroute(/\/api\/admin\//);
    await page.getByRole('button', { name: /^(Try again|Refresh)$/ }).first().click();
    await settled(page);
  });

const REFUSED = { 500: SAID[500], 503: SAID[503], 403: SAID[403], away: 'No connection to the server.' };
for (const [n, [how, said]] of sample(Object.entries(REFUSED), 2).entries())
  for (const path of ['/teacher/', '/teacher/?view=history'])
    walk(`${path} that cannot be loaded (${how}) says what to do, and comes back`, async (t, open) => {
      const teacher = await makeTeacher();
      const student = await makeStudent(teacher);
      await click(await send(teacher, student));
      const page = await open({ who: teacher.client, path: '', size: NARROW });
      await page.route(/\/api\/teacher\//, (route) => (how === 'away' ? route.abort() : route.fulfill(problem(Number(how)))));
      await page.goto(path);
      await page.getByRole('status').getByText(said).waitFor();
      if (!n) await isAccessible(page, `${path}, ${how}`); // else only the words differ
      await fits(page);
      await page.unroute(/\/api\/teacher\//);
      await page.getByRole('button', { name: 'Refresh' }).tap();
      await page.getByText(said).waitFor({ state: 'detached' });
      await page.getByText(student.name).first().waitFor();
      await settled(page);
    });

walk('a teacher’s login that ran out asks for the password and sends the class', async (t, open) => {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher, undefined);
  const page = await open({ who: teacher.client, path: '/teacher/', size: NARROW });
  await settled(page);
  const card = page.locator('.student').filter({ hasText: student.name });
  await card.getByLabel('Zoom link of the class').fill(ZOOM_URL);
  await page.route('**/api/teacher/send-link', async (route) => { // as above
    await teacher.client.post('/api/auth/logout');
    await route.continue();
  }, { times: 1 });
  await card.getByRole('button', { name: 'Send class' }).tap();
  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  assert.equal(await dialog.getByLabel('E-mail').inputValue(), teacher.email);
  await isAccessible(page, 'a teacher signing in again');
  await dialog.getByLabel('Password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Sign in' }).tap();
  await card.getByText('Waiting for').waitFor();
});

for (const target of ['/admin/', '/admin/people'])
  walk(`${target} opened while the server is away comes by itself once it is back`, async (t, open) => {
    const page = await open({ who: theAdmin(), path: '' });
    let asked = 0;
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000); // no second goes by that is not counted here
    await page.route('**/api/**', (route) => {
      asked += route.request().url().endsWith('/api/auth/me') ? 1 : 0;
      return route.fulfill(problem(503));
    });
    await page.goto(target);
    await page.getByRole('alert').getByText(SAID[503]).waitFor();
    const again = page.waitForResponse('**/api/auth/me');
    await page.clock.fastForward('00:03');
    await again;
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    assert.equal(asked, 2, 'in three seconds');
    await page.clock.resume();
    if (target === '/admin/') await isAccessible(page, 'a server away from the first'); // it is the same notice
    await page.unroute('**/api/**');
    await page.clock.fastForward('00:31');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await settled(page);
  });

walk('a slow line shows the shape of what comes', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  await page.route(/\/api\/admin\//, async (route) => {
    await gate;
    await route.fallback();
  });
  await page.goto('/admin/');
  await page.locator('table.sessions.skeleton').waitFor();
  await isAccessible(page, 'loading');
  const before = await page.locator('table.sessions tbody tr').first().boundingBox();
  go();
  await settled(page);
  const after = await page.locator('table.sessions tbody tr').first().boundingBox();
  assert.deepEqual([after.y, after.height], [before.y, before.height], 'the rows come where their shapes were');
});

walk('a bad address is refused with a way out', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/?from=2026-02-31&to=2026-02-30' });
  await page.getByRole('alert').waitFor();
  await page.getByRole('link', { name: 'Clear filters' }).last().click();
  await settled(page);
});

walk('a browser of some years ago shows the evidence, turns pages, and saves settings', async (t, open) => {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  const sent = await send(teacher, student);
  await click(sent);
  await teacher.client.post('/api/teacher/session', { session_id: sent.session.id, action: 'end' });
  const page = await open({ who: theAdmin(), path: '' });
  await page.addInitScript(() => { // what came to browsers in 2021 and 2022
    delete Intl.supportedValuesOf;
    for (const it of [Array, String]) delete it.prototype.at;
    for (const name of ['findLast', 'findLastIndex']) delete Array.prototype[name];
    for (const [of, name] of [[Object, 'hasOwn'], [window, 'structuredClone'], [AbortSignal, 'timeout']]) delete of[name];
    delete Crypto.prototype.randomUUID;
  });
  await page.goto(`/admin/?period=all&session=${sent.session.id}`);
  await settled(page);
  const panel = page.getByRole('dialog', { name: student.name });
  await panel.getByText('decides the end').waitFor();
  await panel.getByRole('button', { name: 'Close' }).click();
  const turn = async (name, n) => {
    await page.getByRole('button', { name, exact: true }).click();
    await page.locator('.pager').getByText(`Page ${n}`).waitFor();
    await settled(page);
  };
  await turn('Older', 2);
  await turn('Newer', 1);
  await page.locator('tbody tr').first().hover(); // what comes now changes rows in place
  await send(teacher, student);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.getByRole('button', { name: /new/ }).waitFor();

  await page.goto('/admin/settings');
  assert.ok(await page.getByLabel('Time zone').inputValue());
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
});
