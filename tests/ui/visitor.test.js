// P4 against agents from outside: two public lists, through lib/visitor.c.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const build = process.env.CLASSCLOCK_BUILD ?? new URL('../../build', import.meta.url).pathname;

const list = (file) => JSON.parse(readFileSync(new URL(`node_modules/${file}`, import.meta.url), 'utf8'));

/** What each agent is taken for. */
function verdicts(agents) {
  const input = agents.map((agent) => `${agent}\n`).join('');
  const done = spawnSync(`${build}/unit/visitor_driver`, { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(done.status, 0, done.stderr);
  const words = done.stdout.trimEnd().split('\n');
  assert.equal(words.length, agents.length);
  return words;
}

const pick = (agents, word) => {
  const found = verdicts(agents);
  return agents.filter((_, i) => found[i] === word);
};

test('no browser of people is taken for a program', () => {
  const people = list('user-agents/dist/user-agents.json').map((row) => row.userAgent);
  assert.ok(people.length >= 10000);
  assert.deepEqual(pick(people, 'crawler'), []);
});

test('of the public list of crawlers, what previews and searches is known', () => {
  const rows = list('crawler-user-agents/crawler-user-agents.json').flatMap(({ tags = [], instances = [] }) =>
    instances.filter((agent) => !agent.includes('\n')).map((agent) => ({ tags, agent })),
  );
  const of = (tag) => rows.filter(({ tags }) => tags.includes(tag)).map(({ agent }) => agent);
  // Taken for people: apps with a browser of their own, which the list holds for previewers.
  assert.deepEqual(
    pick(of('social-preview'), 'human').map((agent) => (agent.match(/MetaIAB/) ?? agent.match(/^\w+/))[0]),
    ['NING', 'Bluesky', 'MetaIAB', 'Notion', 'Tumblr'],
  );
  // Small or long gone, and with nothing in their names that says what they are.
  const engines = of('search-engine');
  assert.ok(pick(engines, 'human').length <= engines.length / 10, pick(engines, 'human').join('\n'));
  // The rest are libraries, monitors and tools, some of which people use too: they are given the benefit.
  const all = rows.map(({ agent }) => agent);
  const known = pick(all, 'crawler').length;
  assert.ok(known / all.length > 0.7, `${known} of ${all.length}`);
});
