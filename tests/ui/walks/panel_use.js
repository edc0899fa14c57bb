// The panel in use: what others do meanwhile, the keyboard.

import assert from 'node:assert/strict';
import { NARROW, app, click, fits, isAccessible, makeStudent, makeTeacher, replayed, send, settled, speak, theAdmin, walk } from '../lib/stage.js';
import { later, running } from './panel.js';

const act = (id, action) => theAdmin().post('/api/admin/session', { session_id: id, action, reason: 'elsewhere' });
const YEAR = 365 * 24 * 60; // minutes: another day of the month where that has none
const refresh = (page) => page.evaluate(() => dispatchEvent(new Event('online')));

walk('a class that ends elsewhere has ended in the panel too, wherever its row is', async (t, open) => {
  const { page, panel, teacher, id } = await running(open);
  const list = (status) => `/admin/?teacher_id=${teacher.id}&status=${status}&session=${id}`;
  const places = {
    'out of the list': list('active'),
    'held under the pointer': list('active'),
    'never in the list': list('missed'),
    'of what needs attention': `/admin/attention?session=${id}`,
  };
  for (const [where, address] of Object.entries(places)) {
    await page.goto(address);
    await settled(page);
    await panel.locator('.badge.active').waitFor();
    if (where.startsWith('held')) await page.locator('tbody tr').hover();
    await act(id, 'end');
    await refresh(page);
    await panel.locator('.badge.ended').waitFor();
    await panel.locator('.explanation', { hasText: /^(?!Running)/ }).waitFor();
    assert.equal(await panel.locator('.stopwatch').count(), 0, where);
    await act(id, 'reopen');
    await refresh(page);
    await panel.locator('.badge.active').waitFor();
  }
});

walk('what was known of a class when it was asked for takes no later news away', async (t, open) => {
  const { page, panel, id } = await running(open);
  let go, known;
  const gate = new Promise((resolve) => (go = resolve));
  const asked = new Promise((resolve) => (known = resolve));
  await page.route('**/api/admin/session-events?*', async (route) => {
    const response = await route.fetch();
    known();
    await gate;
    await route.fulfill({ response });
  }, { times: 1 });
  await page.reload();
  await asked;
  await act(id, 'end');
  await refresh(page);
  await panel.locator('.badge.ended').waitFor();
  await panel.locator('.timeline li').nth(2).waitFor();
  const late = page.waitForEvent('requestfinished', (request) => request.url().includes('/session-events?'));
  go();
  await late;
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  assert.deepEqual(await panel.locator('.badge').allTextContents(), ['Ended']);
  assert.equal(await panel.locator('.timeline li').count(), 3);
});

walk('an action that came too late says so, and what can still be done', async (t, open) => {
  const { panel, id } = await running(open);
  await panel.getByRole('button', { name: 'End class' }).click();
  await panel.getByLabel('Reason').fill('The parents called');
  await act(id, 'cancel');
  await panel.getByRole('button', { name: 'End class' }).click();
  await panel.getByRole('alert').getByText('This class is cancelled: it cannot be ended.').waitFor();
  await panel.locator('.badge.cancelled').waitFor();
  assert.equal(await panel.getByRole('button', { name: 'End class' }).count(), 0, 'nothing that cannot be done is offered');
  assert.ok(await panel.getByRole('alert').isVisible(), 'the news does not take the words away');
});

walk('a class that was opened meanwhile is not cancelled for one that nobody had opened', async (t, open) => {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  const sent = await send(teacher, student);
  const page = await open({ who: theAdmin(), path: `/admin/?session=${sent.session.id}` });
  const panel = page.getByRole('dialog', { name: student.name });
  await panel.getByRole('button', { name: 'Cancel class' }).click();
  await panel.getByLabel('Reason').fill('Sent by mistake');
  await click(sent);
  await panel.getByRole('button', { name: 'Cancel class' }).click();
  await panel.getByRole('alert').getByText('The class has changed meanwhile').waitFor();
  await panel.locator('.badge.active').waitFor();
  await panel.getByRole('button', { name: 'Cancel class' }).click();
  await panel.getByText('so far will not count').waitFor();
  await panel.getByLabel('Reason').fill('It was a trial');
  await panel.getByRole('button', { name: 'Cancel class' }).click();
  await panel.locator('.badge.cancelled').waitFor();
});

walk('a link that a newer one has replaced is withdrawn, once', async (t, open) => {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  const [old, newer] = [await send(teacher, student), await send(teacher, student)];
  const page = await open({ who: theAdmin(), path: `/admin/?session=${old.session.id}` });
  const panel = page.getByRole('dialog', { name: student.name });
  await panel.getByRole('button', { name: 'Withdraw link' }).click();
  await panel.getByText('Withdrawn, it opens nothing.').waitFor();
  await isAccessible(page, 'a link that was replaced');
  await panel.getByLabel('Reason').fill('It went to another chat');
  await panel.getByRole('button', { name: 'Withdraw link' }).click();
  await page.locator('#said').getByText('The link was withdrawn.').waitFor();
  await panel.getByText('cancelled by an admin').waitFor();
  assert.equal(await panel.locator('.actions button').count(), 0);
  assert.equal((await app.client().request('GET', old.join_url)).status, 410);
  await click(newer);
});

walk('a correction is released where there is one, and no end that an admin made', async (t, open) => {
  const { page, panel, id } = await running(open);
  const release = panel.getByRole('button', { name: 'Release correction' });
  await act(id, 'end');
  await page.reload();
  await panel.getByText('Ended by an admin').waitFor();
  await panel.getByRole('button', { name: 'Reopen' }).waitFor();
  assert.equal(await release.count(), 0);
  const { session: { clicked_at } } = await theAdmin().get(`/api/admin/session-events?session_id=${id}`);
  await theAdmin().post('/api/admin/session', { session_id: id, action: 'correct', session_ended_at: clicked_at, reason: 'elsewhere' });
  await page.reload();
  await release.waitFor();
  await act(id, 'reopen'); // which takes a corrected end back
  await page.reload();
  await panel.locator('.badge.active').waitFor();
  await panel.getByRole('button', { name: 'End class' }).waitFor();
  assert.equal(await release.count(), 0);
});

walk('Escape throws no reason away that was typed; whoever leaves a form is in the panel still, and Escape closes it', async (t, open) => {
  const { page, panel } = await running(open);
  const inPanel = () => page.waitForFunction(() => document.activeElement.id === 'panel-title');
  await panel.getByRole('button', { name: 'End class' }).click();
  await panel.getByLabel('Reason').pressSequentially('The parents ca');
  for (let i = 0; i < 2; i++) await page.keyboard.press('Escape');
  await panel.getByRole('status').getByText('choose Back to drop it').waitFor();
  await isAccessible(page, 'an action that Escape does not close');
  await page.keyboard.type('lled');
  assert.equal(await panel.getByLabel('Reason').inputValue(), 'The parents called', 'the cursor stays as well');
  await panel.getByRole('button', { name: 'Back' }).click();
  await inPanel();

  const ways = {
    Back: () => panel.getByRole('button', { name: 'Back' }).click(),
    Escape: () => page.keyboard.press('Escape'),
    saved: async () => {
      await page.keyboard.type('The parents called');
      await page.keyboard.press('Enter');
      await panel.locator('.badge.ended').waitFor();
    },
  };
  for (const leave of Object.values(ways)) {
    await panel.getByRole('button', { name: 'End class' }).click();
    await page.waitForFunction(() => document.activeElement.name === 'reason');
    await leave();
    await inPanel();
  }
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement.matches('tbody a'));
});

walk('a correction in the hour that the clocks repeat is of the one that was meant', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { time_zone } = await theAdmin().get('/api/admin/settings');
  t.after(() => theAdmin().patch('/api/admin/settings', { time_zone }));
  await theAdmin().patch('/api/admin/settings', { time_zone: 'America/New_York' });
  const { page, panel, id } = await running(open);
  // The clocks were put back at 06:00 UTC, from 02:00 to 01:00: 01:30 and 01:30 again.
  await app.age(id, `${(Date.now() - Date.parse('2025-11-02T06:35:00Z')) / 1000} seconds`);
  await page.goto(`/admin/?session=${id}`);
  const correct = panel.getByRole('button', { name: 'Correct times' });
  const reason = panel.getByLabel('Reason');
  const save = async (label, typed) => {
    await correct.click();
    assert.match(await panel.getByLabel('Start').inputValue(), /^2025-11-02T01:[23]/);
    await panel.getByLabel(label, { exact: true }).fill(`2025-11-02T${typed}`);
    await reason.fill('The teacher remembers');
    await correct.click();
    await reason.waitFor({ state: 'detached' });
    return (await theAdmin().get(`/api/admin/session-events?session_id=${id}`)).session;
  };
  assert.equal(Date.parse((await save('Start', '01:20')).clicked_at), Date.parse('2025-11-02T06:20:00Z'));
  assert.equal(Date.parse((await save('End', '01:55')).session_ended_at), Date.parse('2025-11-02T06:55:00Z'));
});

walk('a row or an item that is touched by mistake takes no half-written correction away', async (t, open) => {
  const { page, panel, teacher, id } = await running(open);
  const other = await makeStudent(teacher);
  await click(await send(teacher, other));
  await page.reload();
  await settled(page);
  const write = async () => {
    await panel.getByRole('button', { name: 'Correct times' }).click();
    await panel.getByLabel('Reason').fill('The parents ca');
  };
  const stays = async () => {
    await panel.getByRole('status').getByText('choose Back to drop it').waitFor();
    assert.equal(await panel.getByLabel('Reason').inputValue(), 'The parents ca');
    assert.match(page.url(), new RegExp(`session=${id}$`));
  };
  const row = page.locator('tbody tr').filter({ hasText: other.name });
  await write();
  await row.locator('td').first().click();
  await stays();
  await panel.getByRole('button', { name: 'Back' }).click();
  await row.locator('td').first().click();
  await page.getByRole('dialog', { name: other.name }).waitFor();

  await page.goto(`/admin/attention?session=${id}`);
  await write();
  await page.locator(`.items [data-session]:not([data-session="${id}"])`).first().click();
  await stays();
});

walk('on a phone the way back leaves a form, then the panel, and drops nothing that was typed', async (t, open) => {
  const { page, panel } = await running(open, { size: NARROW });
  // Android asks first, and the second time it closes without asking.
  const back = () => panel.evaluate((dialog) => dialog.dispatchEvent(new Event('cancel', { cancelable: true })) && dialog.close());
  const closes = () => panel.evaluate((dialog) => dialog.close());
  await panel.getByRole('button', { name: 'End class' }).click();
  await back();
  await page.waitForFunction(() => document.activeElement.id === 'panel-title');
  await panel.getByRole('button', { name: 'End class' }).click();
  await panel.getByLabel('Reason').fill('The parents called');
  for (const way of [back, closes]) {
    await way();
    await panel.getByRole('status').getByText('choose Back to drop it').waitFor();
    assert.equal(await panel.getByLabel('Reason').inputValue(), 'The parents called');
    await page.waitForFunction((dialog) => dialog.open && dialog.matches(':modal'), await panel.elementHandle()); // a moment after it closed
  }
  await panel.getByRole('button', { name: 'Back' }).click();
  await closes();
  await panel.waitFor({ state: 'detached' });
  assert.doesNotMatch(page.url(), /session=/);
  await page.locator('tbody a').click();
  await panel.waitFor();
  await back();
  await panel.waitFor({ state: 'detached' });
});

walk('what is wrong with an action is heard where it is mended', async (t, open) => {
  const { page, panel, id } = await running(open);
  const focused = (name) => page.waitForFunction((wanted) => document.activeElement.name === wanted, name);
  await act(id, 'end');
  await refresh(page);
  await panel.locator('.badge.ended').waitFor();
  await panel.getByRole('button', { name: 'Correct times' }).click();
  await panel.getByLabel('Reason').fill('The clock of the school');
  const save = panel.locator('form').getByRole('button', { name: 'Correct times' });
  await save.click();
  await focused('clicked_at');
  assert.ok(await panel.locator('[name=clicked_at][aria-invalid]').isVisible());
  const end = panel.getByLabel('End', { exact: true });
  await end.fill(later(await end.inputValue(), YEAR));
  await save.click();
  await focused('session_ended_at');
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  await page.route('**/api/admin/session', async (route) => {
    await gate;
    await route.abort();
  });
  await save.click();
  for (const name of ['Back', 'Close']) assert.ok(await panel.getByRole('button', { name }).isDisabled(), name);
  go();
  await panel.getByRole('alert').getByText('No connection to the server.').waitFor();
  await page.waitForFunction(() => document.activeElement.matches('.panel form footer button'));
  await page.keyboard.press('Escape');
  await panel.getByRole('status').getByText('choose Back to drop it').waitFor();
});

walk('what becomes of an action is told also beside another class, and takes nothing from that one', async (t, open) => {
  const { page, panel, teacher, student } = await running(open);
  await click(await send(teacher, await makeStudent(teacher)));
  await page.reload();
  await settled(page);
  const other = page.getByRole('dialog').filter({ hasNotText: student.name });
  for (const [answer, said] of [['abort', 'No connection to the server.'], ['fallback', 'The class was ended.']]) {
    let go;
    const gate = new Promise((resolve) => (go = resolve));
    await page.route('**/api/admin/session', async (route) => {
      await gate;
      return route[answer]();
    }, { times: 1 });
    await page.locator('tbody a', { hasText: student.name }).click();
    await panel.getByRole('button', { name: 'End class' }).click();
    await panel.getByLabel('Reason').fill('The parents called');
    await page.keyboard.press('Enter');
    await page.locator('tbody tr:not(.selected) a').click();
    await other.getByRole('button', { name: 'Cancel class' }).click();
    await other.getByLabel('Reason').fill('Sent by mi');
    go();
    await page.locator('#said').getByText(said).waitFor();
    assert.equal(await other.getByLabel('Reason').inputValue(), 'Sent by mi');
    await other.getByRole('button', { name: 'Back' }).click();
  }
});

walk('an action that comes through later takes nobody from where they are', async (t, open) => {
  const { page, panel } = await running(open);
  await page.route('**/api/admin/session', async (route) => {
    await page.getByLabel('Search').focus();
    await route.fallback();
  });
  await panel.getByRole('button', { name: 'End class' }).click();
  await panel.getByLabel('Reason').fill('The parents called');
  await page.keyboard.press('Enter');
  await panel.locator('.badge.ended').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.name), 'q');
});

walk('whoever cancels a class is told that it is final, and of a running one what is lost', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const { page, teacher, id } = await running(open);
  await app.age(id, '7 minutes');
  const { session } = await theAdmin().get(`/api/admin/session-events?session_id=${id}`);
  const soFar = (at) => Math.round((at - Date.parse(session.clicked_at)) / 60_000);
  const told = {
    en: ['Cancel class', /cannot be undone/, /^The (\d+) min so far will not count.*End class/],
    ar: ['إلغاء الحصة', /لا يمكن التراجع/, /(\d+) د.*إنهاء الحصة/],
    am: ['ክፍሉን ሰርዝ', /ሊመለስ አይችልም/, /(\d+) ደቂ.*ክፍሉን አብቃ/],
  };
  const unopened = await send(teacher, await makeStudent(teacher));
  await page.goto(`/admin/?session=${unopened.session.id}`);
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel class' }).click();
  assert.equal(await page.locator('.panel form > p').count(), 1, 'no clock runs that could be stopped');

  await page.goto(`/admin/?session=${id}`);
  for (const [lang, [button, final, lost]] of Object.entries(told)) {
    if (lang !== 'en') await speak(page, lang);
    const before = Date.now();
    await page.getByRole('dialog').getByRole('button', { name: button }).click();
    const [about, cost] = await page.locator('.panel form > p').allTextContents();
    assert.match(about, final);
    assert.match(cost, lost);
    const [, minutes] = cost.match(lost);
    // The page's clock is the server's but for half of what an answer takes.
    assert.ok(minutes >= soFar(before - 10_000) && minutes <= soFar(Date.now() + 10_000), cost);
  }
});

walk('the evidence says once who did it', async (t, open) => {
  const teacher = await makeTeacher();
  const sent = await send(teacher, await makeStudent(teacher));
  const { id } = sent.session;
  const { account: me } = await theAdmin().get('/api/auth/me');
  await click(sent);
  await teacher.client.post('/api/teacher/session', { session_id: id, action: 'end' });
  await act(id, 'reopen');
  await app.client().request('GET', sent.leave_url);
  await replayed();
  await act(id, 'reopen');
  await act(id, 'end');
  const lines = {
    en: ['Opened by the student', `Ended by the teacher · ${teacher.name}`, `Reopened · ${me.name}`, 'Teacher left', `Ended by an admin · ${me.name}`],
    ar: ['فتحها الطالب', `أنهاها المعلم · ${teacher.name}`, `أُعيد فتحها · ${me.name}`, 'خرج المعلم', `أنهاها مشرف · ${me.name}`],
    am: ['ተማሪው ከፈተው', `በመምህሩ አበቃ · ${teacher.name}`, `እንደገና ተከፈተ · ${me.name}`, 'መምህሩ ወጣ', `በአስተዳዳሪ አበቃ · ${me.name}`],
  };
  const page = await open({ who: theAdmin(), path: `/admin/?session=${id}` });
  for (const [lang, expected] of Object.entries(lines)) {
    if (lang !== 'en') await speak(page, lang);
    await page.locator('.timeline li').nth(6).waitFor();
    const said = await page.locator('.timeline li div > p:first-child').allTextContents();
    assert.deepEqual(said.slice(1).map((text) => text.replace(/\s+/g, ' ').trim()), [...expected.slice(0, 4), expected[2], expected[4]]);
  }
});

walk('where there is room nothing lies under the panel, and no row moves for it', async (t, open) => {
  const teacher = await makeTeacher();
  await send(teacher, await makeStudent(teacher));
  const page = await open({ who: theAdmin(), path: `/admin/?teacher_id=${teacher.id}`, size: { width: 1280, height: 768 } });
  const row = page.locator('tbody tr');
  for (const [width, lang] of [[1280, 'en'], [1366, 'en'], [1920, 'en'], [1366, 'ar'], [1366, 'am']]) {
    await page.setViewportSize({ width, height: 768 });
    if (lang !== 'en') await speak(page, lang);
    await settled(page);
    const { y } = await row.boundingBox();
    await page.locator('tbody a').click();
    await page.locator('.panel .timeline li').first().waitFor();
    assert.equal((await row.boundingBox()).y, y, `${width} ${lang}: the row stays where it was`);
    const under = await page.evaluate(() => {
      const panel = document.querySelector('.panel').getBoundingClientRect();
      return [...document.querySelectorAll('.bar a, .wall, .menu summary, .tools > *, .card, .filters label, .fresh button, .sessions th, .pager button')]
        .filter((element) => {
          const { left, right, width: shown } = element.getBoundingClientRect();
          return shown && right > panel.left && left < panel.right;
        }).map((element) => element.className || element.textContent);
    });
    assert.deepEqual(under, [], `${width} ${lang}`);
    for (const name of ['teacher', 'student', 'duration', 'status', 'ended_by']) assert.ok(await page.locator(`th.c-${name}`).first().isVisible(), name);
    await fits(page);
    await page.keyboard.press('Escape');
    await page.locator('.panel').waitFor({ state: 'detached' });
  }
});

walk('a correction of nothing, or that takes a moment away, is refused in the reader’s words', async (t, open) => {
  const { page, id } = await running(open);
  await act(id, 'end');
  const told = {
    en: ['Correct times', 'Start', 'End', 'Change the start or the end.', 'A class that is over needs an end.', 'A class that was opened needs a start.'],
    ar: ['تصحيح الأوقات', 'البداية', 'النهاية', 'غيّر البداية أو النهاية.', 'لا بد من نهاية لحصة انتهت.', 'لا بد من بداية لحصة فُتحت.'],
    am: ['ሰዓት አርም', 'መጀመሪያ', 'መጨረሻ', 'መጀመሪያውን ወይም መጨረሻውን ቀይር።', 'ያበቃ ክፍል መጨረሻ ያስፈልገዋል።', 'የተከፈተ ክፍል መጀመሪያ ያስፈልገዋል።'],
  };
  const panel = page.getByRole('dialog');
  let asked = 0;
  await page.route('**/api/admin/session', (route) => {
    asked++;
    return route.fallback();
  });
  await page.goto(`/admin/?session=${id}`);
  for (const [lang, [button, start, end, nothing, noEnd, noStart]] of Object.entries(told)) {
    if (lang !== 'en') await speak(page, lang);
    const save = () => panel.locator('form').getByRole('button', { name: button }).click();
    await panel.getByRole('button', { name: button }).click();
    await panel.locator('[name=reason]').fill('The clock of the school');
    await save();
    assert.equal(await panel.locator('.error').textContent(), nothing);
    const [from, to] = await Promise.all([panel.getByLabel(start).inputValue(), panel.getByLabel(end).inputValue()]);
    await panel.getByLabel(start).fill(later(from, -YEAR));
    await panel.getByLabel(end).fill('');
    await save();
    assert.equal(await panel.locator('.error').textContent(), noEnd);
    await panel.getByLabel(end).fill(later(to, YEAR));
    await panel.getByLabel(start).fill('');
    await save();
    assert.equal(await panel.locator('.error').textContent(), noStart);
    assert.equal(asked, 0, 'the server need not be asked');
  }
});

walk('an action whose answer was lost is asked for again, and is done once', async (t, open) => {
  const { page, panel, id } = await running(open);
  const evidence = async () => (await theAdmin().get(`/api/admin/session-events?session_id=${id}`)).events.map(({ kind }) => kind);
  const lose = async (route) => {
    await route.fetch();
    await route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"title":"Outcome unknown, repeat it","status":503}' });
  };
  const actions = {
    'End class': ['ended', ['admin_ended']],
    Reopen: ['active', ['reopened']],
    'Correct times': ['ended', ['corrected', 'corrected']],
    'Release correction': ['active', ['released']],
  };
  for (const [name, [state, adds]] of Object.entries(actions)) {
    const before = await evidence();
    const button = panel.getByRole('button', { name });
    await button.click();
    for (const label of name === 'Correct times' ? ['Start', 'End'] : []) {
      const start = await panel.getByLabel('Start').inputValue();
      await panel.getByLabel(label).fill(label === 'Start' ? later(start, -YEAR) : start);
    }
    await panel.getByLabel('Reason').fill('The parents called');
    await page.route('**/api/admin/session', lose, { times: 1 });
    await button.click();
    await panel.getByRole('alert').getByText('Nothing you entered is lost; try again shortly.').waitFor();
    await refresh(page);
    await panel.locator(`.badge.${state}`).waitFor(); // it was done, and the panel has the news
    await button.click();
    await panel.getByLabel('Reason').waitFor({ state: 'detached' });
    await panel.locator(`.badge.${state}`).waitFor();
    assert.equal(await panel.getByRole('alert').count(), 0, `${name}: nothing is refused`);
    assert.deepEqual((await evidence()).toSorted(), [...before, ...adds].toSorted(), name);
  }
});
