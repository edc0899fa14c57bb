// What needs an admin's eye, its count in the menu, and the way to settle it.

import assert from 'node:assert/strict';
import { NARROW, app, click, isAccessible, makeStudent, makeTeacher, send, settled, speak, theAdmin, walk } from '../lib/stage.js';

const total = async () => (await theAdmin().get('/api/admin/attention')).total;

walk('the menu counts what needs attention', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  const answer = page.waitForResponse('**/api/admin/attention?limit=0');
  const before = await total();
  await page.goto('/admin/');
  const { total: n } = await (await answer).json();
  const after = await total();
  // Links that nobody has opened come to it as time goes by.
  assert.ok(before <= n && n <= after, `${before} ${n} ${after}`);
  const count = page.getByRole('link', { name: /things? needs? attention/ }).locator('.count');
  await count.waitFor();
  assert.equal(await count.textContent(), n.toLocaleString('en'));
});

walk('the menu counts once a minute, however often it was told to', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  const counts = [];
  await page.clock.install();
  await page.addInitScript(() => {
    const { fetch, setTimeout } = window;
    window.counted = window.told = window.planned = 0;
    window.fetch = async (address, ...more) => {
      const counts = String(address).includes('/api/admin/attention?limit=0');
      window.counted += counts;
      const answer = await fetch.call(window, address, ...more);
      window.told += counts;
      return answer;
    };
    window.setTimeout = (fn, ms, ...more) => {
      window.planned += ms === 60_000;
      return setTimeout(fn, ms, ...more);
    };
  });
  await page.goto('/admin/packages');
  await page.waitForFunction(() => window.planned === 1);
  await page.evaluate(() => { for (let i = 0; i < 3; i++) document.dispatchEvent(new Event('attention')); });
  for (const minutes of [1, 2]) {
    await page.waitForFunction((n) => window.told === window.counted && window.planned > n, minutes);
    await page.clock.fastForward('01:01');
    counts.push(await page.evaluate(() => window.counted));
  }
  assert.deepEqual(counts, [5, 6]);
});

walk('a class that nobody marked is there until it is marked', async (t, open) => {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  const sent = await send(teacher, student);
  await click(sent);
  await teacher.client.post('/api/teacher/session', { session_id: sent.session.id, action: 'end' });
  const page = await open({ who: theAdmin(), path: '/admin/attention?kind=no_attendance' });
  await settled(page);
  await isAccessible(page);
  const item = page.locator('.items li').filter({ hasText: student.name });
  await item.getByRole('link', { name: 'Open' }).click();
  const panel = page.getByRole('dialog', { name: student.name });
  await panel.getByText('Ended by the teacher').waitFor();
  assert.match(page.url(), new RegExp(`session=${sent.session.id}`));
  await page.keyboard.press('Escape');
  await page.waitForFunction((id) => document.activeElement?.dataset.session === String(id), sent.session.id);
  await teacher.client.post('/api/teacher/attendance', { session_id: sent.session.id, attendance: 'present' });
  await page.getByRole('button', { name: 'Refresh' }).click();
  await item.waitFor({ state: 'detached' });
});

walk('a link that was not delivered is there, with the reason, until the class is opened', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  const sent = await send(teacher, student);
  const page = await open({ who: theAdmin(), path: '/admin/attention?kind=undelivered' });
  const item = page.locator('.items li').filter({ hasText: student.name });

  await settled(page);
  assert.equal(await item.count(), 0, 'a teacher who copies the link needs no message');
  await app.psql(`INSERT INTO messages (kind, session_id, chat_id, state, outcome, detail, next_at)
    VALUES ('join_link', ${sent.session.id}, 1, 'failed', 'blocked', 'The student has blocked the bot.', NULL)`);
  await page.getByRole('button', { name: 'Refresh' }).click();
  await item.getByText('The student has blocked the bot. Ask them to open it').waitFor();
  await page.getByRole('heading', { name: 'Link not delivered' }).waitFor();
  await page.getByText('Ask the teacher to copy the link to the student.').waitFor();
  await isAccessible(page, 'a link that was not delivered');
  await item.getByRole('link', { name: 'Open' }).click();
  const panel = page.getByRole('dialog', { name: student.name });
  await panel.getByText('Not delivered').waitFor();
  await panel.getByText('The student has blocked the bot. Ask them to open it').waitFor();
  const arabic = await open({ who: theAdmin(), path: `/admin/?session=${sent.session.id}`, lang: 'ar' });
  await arabic.getByRole('dialog').getByText('حظر الطالب البوت').waitFor();
  const amharic = await open({ who: teacher.client, path: '/teacher/', lang: 'am', size: NARROW });
  await amharic.locator('.delivery.failed').getByText('ተማሪው ቦቱን አግዷል').waitFor();
  for (const other of [arabic, amharic]) assert.equal(await other.getByText('blocked').count(), 0);
  await isAccessible(amharic, 'a class whose link was not delivered');
  await page.keyboard.press('Escape');
  await click(sent);
  await page.getByRole('button', { name: 'Refresh' }).click();
  await item.waitFor({ state: 'detached' });
});

const MEETING = { session_id: null, student: null, teacher: null };
/** Each kind and its details in each language; what Telegram itself said stands in its own words. */
const DETAILS = [
  ['unopened', {}, 'Sent, and not opened yet.', 'أُرسلت ولم تُفتح بعد.', 'ተልኳል፤ ገና አልተከፈተም።'],
  ['running_over', { minutes: 69, of: 60 }, 'Running for 69 min of 60 min.', 'جارية منذ 69 د، ومدتها 60 د.', 'የተመደበው 60 ደቂቃ ነበር፤ 69 ደቂቃ ሆኖታል።'],
  ['estimated', { minutes: 70 }, 'Nothing tells when it ended: 70 min are an estimate.', 'لا شيء يدل على وقت انتهائها: 70 د مدة تقديرية.', 'መቼ እንዳበቃ የሚያሳይ የለም፦ 70 ደቂቃ ግምት ነው።'],
  ['no_attendance', {}, 'Attendance is not marked.', 'لم يُسجَّل الحضور.', 'መገኘት አልተመዘገበም።'],
  ['late_click', {}, 'The link was opened after the class was over.', 'فُتح الرابط بعد انتهاء الحصة.', 'አገናኙ የተከፈተው ክፍሉ ካበቃ በኋላ ነው።'],
  ['event_without_session', { meeting_id: 81234567890 }, 'Zoom meeting 81234567890 belongs to no class.', 'اجتماع زوم 81234567890 لا ينتمي إلى أي حصة.', 'የዙም ስብሰባ 81234567890 የየትኛውም ክፍል አይደለም።', MEETING],
  ['event_without_session', { meeting_id: null }, 'A Zoom meeting belongs to no class.', 'اجتماع زوم لا ينتمي إلى أي حصة.', 'የዙም ስብሰባው የየትኛውም ክፍል አይደለም።', MEETING],
  ['no_rate', { package: null }, 'This class has no package, so it gets no rate: pay it by hand. Give the student a package for the next ones.',
    'هذه الحصة بلا باقة فلن تأخذ سعرًا: ادفع أجرها يدويًا، وحدّد للطالب باقة للحصص القادمة.',
    'ይህ ክፍል ጥቅል ስለሌለው ዋጋ አያገኝም፦ ክፍያውን ከዚህ ውጭ ፈጽም፤ ለቀጣዮቹ ክፍሎች ለተማሪው ጥቅል ምረጥ።'],
  ['no_rate', { package: 'Europe' }, 'This class of the package Europe has no rate.', 'هذه الحصة من الباقة Europe بلا سعر.', 'ይህ የጥቅል Europe ክፍል ዋጋ የለውም።'],
  ['no_rate', { package: 'Europe' }, 'The package Europe has no rate.', 'الباقة Europe بلا سعر.', 'ጥቅል Europe ዋጋ የለውም።', { session_id: null }],
  ['orphan_click', {}, 'A link was opened whose class is not here.', 'فُتح رابط حصته غير موجودة هنا.', 'ክፍሉ እዚህ የሌለ አገናኝ ተከፈተ።', MEETING],
  ['undelivered', { outcome: 'queued' }, 'It still waits to be sent by Telegram.', 'ما زالت بانتظار أن يرسلها تيليجرام.', 'ቴሌግራም እስኪልከው በመጠበቅ ላይ ነው።'],
  ['undelivered', { outcome: 'refused' }, 'Telegram refused the message. Tell the admin.', 'رفض تيليجرام الرسالة. أخبر المشرف.', 'ቴሌግራም መልእክቱን አልተቀበለም። ለአስተዳዳሪው ንገር።'],
  ['undelivered', { outcome: null }, 'Bad Request: new words', 'Bad Request: new words', 'Bad Request: new words'],
];

walk('what needs attention is told in each language', async (t, open) => {
  const someone = { id: 1, name: 'Abebe' };
  const items = DETAILS.map(([kind, facts, , , , more], n) => ({
    kind, facts, detail: 'Bad Request: new words', session_id: n + 1, student: someone, teacher: someone,
    at: new Date(Date.now() - n * 60_000).toISOString(), clicked_at: null, ...more,
  }));
  const counts = {};
  for (const { kind } of items) counts[kind] = (counts[kind] ?? 0) + 1;
  const page = await open({ who: theAdmin(), path: '' });
  await page.route('**/api/admin/attention', (route) => route.fulfill({ json: { items, counts, total: items.length } }));
  await page.goto('/admin/attention');
  for (const [column, lang] of [[2, 'en'], [4, 'am'], [3, 'ar']]) {
    if (lang === 'ar') await page.setViewportSize(NARROW);
    if (lang !== 'en') await speak(page, lang);
    await settled(page);
    const told = await page.locator('.items p').allTextContents();
    assert.deepEqual(told.map((text) => text.replace(/[\u2066-\u2069]/g, '')).sort(), DETAILS.map((row) => row[column]).sort(), lang);
    if (lang !== 'en') await isAccessible(page, `what needs attention in ${lang}`);
  }
});

walk('a student who came late gets the class back by one tap', async (t, open) => {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  const sent = await send(teacher, student);
  await click(sent);
  await theAdmin().post('/api/admin/session', { session_id: sent.session.id, action: 'end', reason: 'tried at noon' });
  await click(sent);
  const page = await open({ who: theAdmin(), path: '/admin/attention?kind=late_click' });
  await settled(page);
  await page.locator('.items li').filter({ hasText: student.name }).getByRole('link', { name: 'Reopen' }).click();
  const panel = page.getByRole('dialog', { name: student.name });
  assert.match(await panel.getByLabel('Reason').inputValue(), /^The student opened the link/);
  await isAccessible(page, 'reopening from a late click');
  await panel.getByRole('button', { name: 'Reopen' }).click();
  await panel.locator('.badge.active').waitFor();
});

walk('kinds are tabs with an address; nothing to do is said plainly', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/attention' });
  await settled(page);
  const tab = page.locator('.tabs button').nth(1);
  await tab.click();
  await page.waitForURL(/kind=\w+/);
  assert.equal(await page.locator('.groups section').count(), 1);
  await page.reload();
  await settled(page);
  assert.equal(await page.locator('.groups section').count(), 1);
  await page.route('**/api/admin/attention', (route) => route.fulfill({ json: { items: [], counts: {}, total: 0 } }));
  await page.goto('/admin/attention');
  await page.getByRole('heading', { name: 'Nothing needs attention' }).waitFor();
  await isAccessible(page, 'nothing needs attention');
  assert.ok(app.url);
});

const SOMEONE = { id: 1, name: 'Abebe' };
const AT = new Date(Date.now() - 9e6).toISOString();
const item = (kind, session_id, minutes) => ({
  kind, session_id, facts: { minutes, of: 60 }, detail: `Told of ${minutes} minutes.`, at: AT, clicked_at: AT, student: SOMEONE, teacher: SOMEONE,
});

/** The page with what items() gives in the place of the academy's own. */
async function listing(open, items, path) {
  const page = await open({ who: theAdmin(), path: '' });
  await page.route('**/api/admin/attention', (route) => {
    const counts = {};
    for (const { kind } of items()) counts[kind] = (counts[kind] ?? 0) + 1;
    return route.fulfill({ json: { items: items(), counts, total: items().length } });
  });
  await page.goto(path);
  await settled(page);
  return page;
}

walk('focus stays on a class that runs on, and comes back to the link that opened the panel', async (t, open) => {
  let ran = 70;
  const page = await listing(open, () => [
    item('running_over', 1, ran), item('estimated', 2, 70), item('no_attendance', 2, 70),
  ], '/admin/attention');
  const wayOf = (kind) => page.locator(`section[aria-labelledby=kind-${kind}]`).getByRole('link', { name: 'Open' });
  const focused = (link) => link.evaluate((it) => it === document.activeElement);

  await wayOf('running_over').focus();
  ran = 71;
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.getByText('Running for 71 min').waitFor();
  assert.ok(await focused(wayOf('running_over')));

  await wayOf('no_attendance').press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.activeElement.dataset.session === '2');
  assert.ok(await focused(wayOf('no_attendance')));
});

walk('a kind whose last item is settled gives way to all', async (t, open) => {
  const items = [item('no_attendance', 2, 70), item('running_over', 1, 70)];
  const page = await listing(open, () => items, '/admin/attention?kind=running_over');
  assert.equal(await page.locator('.groups li').count(), 1);
  items.pop();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByRole('button', { name: /^Running over/ }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'All 1', pressed: true }).waitFor();
  assert.equal(await page.locator('.groups li').count(), 1);
});
