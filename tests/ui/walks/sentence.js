// The sentence that explains a session's minutes: in English the server's, else as rich, of the facts beside it.

import assert from 'node:assert/strict';
import { app, click, goTo, makeStudent, makeTeacher, replayed, send, settled, stray, theAdmin, walk } from '../lib/stage.js';

const MINUTE = 60_000;
const moment = (ms) => new Date(ms).toISOString();
const act = (id, action, more) => theAdmin().post('/api/admin/session', { session_id: id, action, reason: 'a walk', ...more });
const timeout = () => theAdmin().post('/api/admin/auto-timeout');

/** A session sent, and opened as long ago as is said. */
async function begin(ago) {
  const teacher = await makeTeacher();
  const student = await makeStudent(teacher);
  const sent = await send(teacher, student);
  const { id } = sent.session;

  if (ago) {
    await click(sent);
    await app.age(id, ago);
  }
  return { id, teacher, student, sent, end: (action) => teacher.client.post('/api/teacher/session', { session_id: id, action }) };
}

/** Each shape: how a session comes to it, or how an answer is changed to it, and what is read in each language. */
const SHAPES = {
  sent: {
    make: () => begin(),
    ar: 'أُرسلت {sent} ولم يفتحها أحد بعد.',
    am: '{sent} ተላከ፣ ገና ማንም አልከፈተውም።',
  },
  missed: {
    make: async () => {
      const it = await begin();
      await app.age(it.id, '13 hours');
      await timeout();
      return it;
    },
    ar: 'أُرسلت {sent} ولم يفتحها أحد طوال صلاحية الرابط (12 ساعة).',
    am: '{sent} ተላከ፣ በ12 ሰዓቶች ውስጥ ማንም አልከፈተውም።',
  },
  'cancelled by the teacher': {
    make: async () => {
      const it = await begin();
      await it.end('cancel');
      return it;
    },
    ar: 'أُرسلت {sent} ثم ألغاها المعلم.',
    am: '{sent} ተልኮ በመምህሩ ተሰረዘ።',
  },
  'cancelled by an admin': {
    make: async () => {
      const it = await begin();
      await act(it.id, 'cancel');
      return it;
    },
    ar: 'أُرسلت {sent} ثم ألغاها مشرف.',
    am: '{sent} ተልኮ በአስተዳዳሪ ተሰረዘ።',
  },
  replaced: {
    make: async () => {
      const it = await begin();
      await send(it.teacher, it.student);
      return it;
    },
    ar: 'أُرسلت {sent}، وحلّ محلها رابط أحدث قبل أن يفتحها أحد.',
    am: '{sent} ተላከ፣ ማንም ሳይከፍተው በአዲስ አገናኝ ተተካ።',
  },
  running: {
    make: () => begin('5 minutes'),
    ar: 'جارية: فتحها الطالب {start}، وموعدها النهائي {deadline}.',
    am: 'በሂደት ላይ፦ ተማሪው {start} ከፈተ፣ የጊዜ ገደቡ {deadline} ነው።',
  },
  'reopened on another day': {
    make: async () => {
      const it = await begin();
      await app.age(it.id, '30 hours');
      await timeout();
      await act(it.id, 'reopen');
      return it;
    },
    ar: 'جارية: بدأت {start} بحسب المشرف (أُعيد فتحها)، وموعدها النهائي {deadline}.',
    am: 'በሂደት ላይ፦ እንደ አስተዳዳሪው {start} ጀመረ (እንደገና ተከፈተ)፣ የጊዜ ገደቡ {deadline} ነው።',
  },
  'ended by the teacher': {
    make: async () => {
      const it = await begin('30 minutes');
      await it.end('end');
      return it;
    },
    ar: '{minutes} د: فتحها الطالب {start}، وأنهاها المعلم {end}.',
    am: '{minutes} ደቂቃ፦ ተማሪው {start} ከፈተ፣ መምህሩ {end} አበቃው።',
  },
  'ended by an admin': {
    make: async () => {
      const it = await begin('30 minutes');
      await act(it.id, 'end');
      return it;
    },
    ar: '{minutes} د: فتحها الطالب {start}، وأنهاها مشرف {end}.',
    am: '{minutes} ደቂቃ፦ ተማሪው {start} ከፈተ፣ አስተዳዳሪ {end} አበቃው።',
  },
  'left by the teacher': {
    make: async () => {
      const it = await begin('30 minutes');
      await app.client().request('GET', it.sent.leave_url, undefined, { 'User-Agent': 'Mozilla/5.0 Chrome/126.0', 'Sec-Fetch-Mode': 'navigate' });
      await replayed();
      return it;
    },
    ar: '{minutes} د: فتحها الطالب {start}، وانتهت {end} بخروج المعلم.',
    am: '{minutes} ደቂቃ፦ ተማሪው {start} ከፈተ፣ መምህሩ ሲወጣ {end} አበቃ።',
  },
  'corrected, with seconds': {
    make: async () => {
      const it = await begin('4 hours');
      const base = Math.floor(Date.now() / MINUTE) * MINUTE - 180 * MINUTE;
      await act(it.id, 'correct', { clicked_at: moment(base + 10_000), session_ended_at: moment(base + 48 * MINUTE + 40_000) });
      return it;
    },
    ar: '49 د: بدأت {start} بحسب المشرف (صُحّحت البداية)، وأنهاها مشرف {end} (صُحّحت النهاية).',
    am: '49 ደቂቃ፦ እንደ አስተዳዳሪው {start} ጀመረ (መጀመሪያው ታረመ)፣ አስተዳዳሪ {end} አበቃው (መጨረሻው ታረመ)።',
  },
  'both in the meeting': {
    make: async () => {
      const { id, session, ...it } = await stray();
      const { occurrences } = await theAdmin().get('/api/admin/zoom-inbox?state=waiting&limit=200');
      await theAdmin().post('/api/admin/zoom-inbox', {
        uuid: occurrences.find(({ meeting_id }) => String(meeting_id) === id).uuid, session_id: session, reason: 'a walk',
      });
      return { id: session, ...it };
    },
    ar: '{minutes} د: فتحها الطالب {start}، وحضر المعلم والطالب معًا من {from} إلى {to} (24 د)، وانتهت {end} بحسب زوم.',
    am: '{minutes} ደቂቃ፦ ተማሪው {start} ከፈተ፣ መምህሩና ተማሪው ከ{from} እስከ {to} አብረው ነበሩ (24 ደቂቃ)፣ በዙም {end} አበቃ።',
  },
  'never both in the meeting': {
    of: 'both in the meeting',
    change: { explained: { together_from: null, together_to: null } },
    ar: '{minutes} د: فتحها الطالب {start}، ولم يحضر المعلم والطالب معًا، وانتهت {end} بحسب زوم.',
    am: '{minutes} ደቂቃ፦ ተማሪው {start} ከፈተ፣ መምህሩና ተማሪው አብረው አልነበሩም፣ በዙም {end} አበቃ።',
  },
  'timed out': {
    make: async () => {
      const it = await begin('90 minutes');
      await timeout();
      return it;
    },
    ar: '70 د، تقديرية: فتحها الطالب {start}، ولم تُرَ نهايتها، ومضى موعدها النهائي {deadline} (60 د ومهلة 10 د).',
    am: '70 ደቂቃ፣ ግምታዊ፦ ተማሪው {start} ከፈተ፣ መጨረሻው አልታየም፣ የጊዜ ገደቡ {deadline} አለፈ (60 + 10 ደቂቃ)።',
  },
  'timed out with both there': {
    of: 'timed out',
    change: { session: { presence: { teacher_minutes: 70, student_minutes: 70, both_minutes: 70 } }, explained: { together_from: moment(Date.now()) } },
    ar: '70 د، تقديرية: فتحها الطالب {start}، وحضر المعلم والطالب معًا منذ {from}، ولم تُرَ نهايتها، ومضى موعدها النهائي {deadline} (60 د ومهلة 10 د).',
    am: '70 ደቂቃ፣ ግምታዊ፦ ተማሪው {start} ከፈተ፣ መምህሩና ተማሪው ከ{from} ጀምሮ አብረው ነበሩ፣ መጨረሻው አልታየም፣ የጊዜ ገደቡ {deadline} አለፈ (60 + 10 ደቂቃ)።',
  },
  'still running at the deadline it was reopened to': {
    of: 'timed out',
    change: { session: { estimated: false }, explained: { reopened: true } },
    ar: '70 د: فتحها الطالب {start}، ويُظهر زوم أنها كانت جارية، ومضى موعدها النهائي {deadline} (كما حُدّد عند إعادة فتحها).',
    am: '70 ደቂቃ፦ ተማሪው {start} ከፈተ፣ ዙም እንደቀጠለ ያሳያል፣ የጊዜ ገደቡ {deadline} አለፈ (እንደገና ሲከፈት እንደተወሰነው)።',
  },
};

/** What stands for the placeholders: moments with their day where it is not the day of sending, with seconds where they matter. */
const spoken = (page, answer) => page.evaluate(async ({ session: s, explained: x }) => {
  const { dayTime, dayTimeExact, isoDay, time, timeExact } = await import('/lib/i18n.js');
  const at = (moment) => {
    if (!moment) return null;
    if (isoDay(moment) !== isoDay(s.sent_at)) return x.with_seconds ? dayTimeExact(moment) : dayTime(moment);
    return x.with_seconds ? timeExact(moment) : time(moment);
  };
  return {
    sent: at(s.sent_at), start: at(s.clicked_at), end: at(s.session_ended_at), deadline: at(s.times_out_at),
    from: at(x.together_from), to: at(x.together_to), minutes: s.session_duration_minutes,
  };
}, answer);

/** The words of the catalogue are the server's, but for the way to write a day. */
async function saysTheSame(page, { session, explained, explanation }) {
  if (/\d{4}-\d\d-\d\d/.test(explanation)) return;
  const words = await page.evaluate(async ([s, x]) => (await import('/lib/sentence.js')).sentence(s, x), [session, explained]);
  assert.equal(words, explanation);
}

walk('every shape of the sentence is read in each language', async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  const answers = {};
  for (const [name, { make, of, change }] of Object.entries(SHAPES)) {
    const made = make ? await theAdmin().get(`/api/admin/session-events?session_id=${(await make()).id}`) : structuredClone(answers[of]);
    for (const [part, facts] of Object.entries(change ?? {})) Object.assign(made[part], facts);
    answers[name] = made;
  }
  for (const lang of ['en', 'ar', 'am']) {
    const page = await open({ who: theAdmin(), lang, path: '/admin/' });
    let answer;
    await page.route('**/api/admin/session-events?*', (route) => route.fulfill({ json: answer }));
    await settled(page);
    for (const [name, shape] of Object.entries(SHAPES)) {
      answer = answers[name];
      await goTo(page, '/admin/');
      await page.locator('.explanation').waitFor({ state: 'detached' });
      await goTo(page, `/admin/?session=${answer.session.id}`);
      await page.locator('.explanation:not(:has(.skeleton))').waitFor();
      const text = (await page.locator('.explanation').textContent()).replace(/[\u2066-\u2069]/g, '');
      const words = await spoken(page, answer);
      const wanted = lang === 'en' ? answer.explanation : shape[lang].replace(/\{(\w+)\}/g, (_, word) => words[word]);
      assert.equal(text, wanted, `${name} in ${lang}`);
      if (lang === 'en' && shape.make) await saysTheSame(page, answer);
    }
  }
});
