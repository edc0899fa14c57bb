// What the sessions page weighs.

import assert from 'node:assert/strict';
import { settled, theAdmin, walk } from '../lib/stage.js';

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
