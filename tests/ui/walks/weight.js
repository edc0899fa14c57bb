// What the sessions page weighs, and that it weighs no more when there are many sessions.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { app, settled, theAdmin, walk } from '../lib/stage.js';

const MANY = process.env.CLASSCLOCK_LONG ? 1_000_000 : 100_000;

walk('the sessions page loads at most 60 kB of JavaScript, compressed', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '/admin/' });
  await settled(page);
  const scripts = await page.evaluate(() => performance.getEntriesByType('resource')
    .filter((entry) => new URL(entry.name).pathname.endsWith('.js'))
    .map((entry) => [new URL(entry.name).pathname, entry.encodedBodySize, entry.decodedBodySize]));
  const sum = scripts.reduce((total, [, bytes]) => total + bytes, 0);

  t.diagnostic(`${scripts.length} files, ${sum} bytes`);
  assert.ok(scripts.length > 10 && scripts.every(([, bytes]) => bytes > 0));
  assert.ok(scripts.every(([, encoded, decoded]) => encoded < decoded), 'nginx sends them compressed');
  assert.ok(sum <= 60_000, `${sum} bytes:\n${scripts.map((s) => s.join(' ')).join('\n')}`);
});

walk('nothing is loaded from another host, and pages are asked about again', async (t, open) => {
  const page = await open({ who: theAdmin(), path: '' });
  const hosts = new Set();
  page.on('request', (request) => hosts.add(new URL(request.url()).origin));
  const response = await page.goto('/admin/');
  await settled(page);
  assert.equal(hosts.size, 1);
  assert.equal(response.headers()['cache-control'], 'no-cache');
  const policy = response.headers()['content-security-policy'];
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(policy, /unsafe-|\*/);
});

/** Classes of three years up to yesterday, in one statement; the newest rows of the list stay what they are. */
const fill = (n) => app.psql(`SET session_replication_role = replica;
  INSERT INTO sessions (teacher_id, student_id, package_id, package_rate, currency, duration_minutes, buffer_minutes,
    link_hours, link_id, request_id, request_digest, zoom_url, session_status, sent_at, clicked_at, times_out_at,
    session_ended_at, ended_by, attendance)
  SELECT t.teacher_id, t.id, 'Europe', 12, 'USD', 60, 10, 12, gen_random_uuid(), gen_random_uuid(), '', 'filled',
    'ended', at, at, at + interval '70 minutes', at + interval '48 minutes', 'teacher', 'present'
  FROM generate_series(1, ${n}) i
  CROSS JOIN LATERAL (SELECT now() - interval '1 day' - i * interval '3 years' / ${n} AS at) moment
  JOIN (SELECT id, teacher_id, row_number() OVER (ORDER BY id) - 1 AS n FROM students ORDER BY id LIMIT 30) t ON t.n = i % 30;
  ANALYZE sessions`);

const unfill = () => app.psql(`SET session_replication_role = replica; DELETE FROM sessions WHERE zoom_url = 'filled'`);

/** What one sight of the page and one refresh ask for: requests, bytes of answers, statements in the database. */
async function cost(open) {
  const log = `${app.state}/log/postgres.log`;
  const page = await open({ who: theAdmin(), path: '' });
  const asked = ['attention?limit=0', 'teachers', 'students'].map((what) => page.waitForResponse(`**/api/admin/${what}`)); // when the browser is idle
  const seen = (await readFile(log)).length;
  const requests = [];
  let waiting = 0;

  page.on('request', () => waiting++);
  page.on('requestfinished', () => waiting--);
  page.on('response', (response) => {
    const { pathname, searchParams } = new URL(response.url());
    if (pathname.startsWith('/api/')) requests.push(`${pathname} ${[...searchParams.keys()]}`);
  });
  await page.goto('/admin/');
  await settled(page);
  await Promise.all(asked);
  const answer = page.waitForResponse((response) => response.url().includes('days=7'));
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await answer;
  while (waiting) await page.waitForEvent('requestfinished');
  const bytes = await page.evaluate(() => performance.getEntriesByType('resource')
    .filter((entry) => new URL(entry.name).pathname.startsWith('/api/'))
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0));
  const statements = (await readFile(log)).subarray(seen).toString().match(/classclock_app\/\S+ LOG: +(execute|statement)/g) ?? [];
  const shown = await page.locator('.summary').textContent();
  await page.context().close();
  return { requests: requests.sort(), bytes, statements: statements.length, shown };
}

/** The least of three, or what is enough already: jobs that run beside it, and a slow page's polls, only add. */
async function leastCost(open, isEnough = () => false) {
  let least = await cost(open);
  for (let i = 1; i < 3 && !isEnough(least); i++) {
    const { requests, bytes, statements } = await cost(open);
    if (requests.length < least.requests.length) least = { ...least, requests };
    least = { ...least, bytes: Math.min(least.bytes, bytes), statements: Math.min(least.statements, statements) };
  }
  return least;
}

walk(`with ${MANY} sessions the page asks for no more than with a thousand`, async (t, open) => {
  if (!app.ours) return t.skip('needs the database');
  await app.psql(`ALTER SYSTEM SET log_statement = 'all'`, 'SELECT pg_reload_conf()');
  while ((await app.psql('SHOW log_statement')) !== 'all'); // then the server has told its processes too
  t.after(() => app.psql('ALTER SYSTEM RESET log_statement', 'SELECT pg_reload_conf()'));
  t.after(unfill);
  const few = await leastCost(open);
  await fill(MANY);
  // A count of more digits is a few bytes more; a row is hundreds.
  const most = few.bytes + 100;
  const many = await leastCost(open, ({ requests, bytes, statements }) => requests.length === few.requests.length && bytes <= most && statements === few.statements);

  t.diagnostic(`${few.shown}: ${few.requests.length} requests, ${few.bytes} bytes, ${few.statements} statements`);
  t.diagnostic(`${many.shown}: ${many.requests.length} requests, ${many.bytes} bytes, ${many.statements} statements`);
  assert.notEqual(many.shown, few.shown, 'the new sessions are there');
  assert.ok(few.statements > 5, 'statements are counted');
  assert.deepEqual(many.requests, few.requests);
  assert.equal(many.statements, few.statements);
  assert.ok(many.bytes <= most, `${many.bytes} bytes instead of ${few.bytes}`);
});
