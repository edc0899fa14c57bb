// The catalogues of words, without a browser.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const STATIC = fileURLToPath(new URL('../../../static', import.meta.url));
const load = async (lang) => (await import(`${STATIC}/lib/catalog/${lang}.js`)).default;
const catalogs = { en: await load('en'), ar: await load('ar'), am: await load('am') };

/** The pages' own files with this ending. */
async function sources(ending) {
  const all = await readdir(STATIC, { recursive: true });
  return all.filter((name) => name.endsWith(ending) && !/node_modules|vendor|catalog/.test(name));
}

const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join();

test('every language has every word', () => {
  for (const [lang, words] of Object.entries(catalogs)) {
    assert.deepEqual(Object.keys(words).sort(), Object.keys(catalogs.en).sort(), lang);
    for (const [key, word] of Object.entries(words))
      for (const form of typeof word === 'string' ? [word] : Object.values(word)) assert.ok(form.trim(), `${lang} ${key} is empty`);
  }
});

test('every counted word has each form its language asks for', () => {
  for (const [lang, words] of Object.entries(catalogs)) {
    const forms = new Intl.PluralRules(lang).resolvedOptions().pluralCategories.sort();
    for (const [key, word] of Object.entries(words))
      if (typeof catalogs.en[key] === 'object') assert.deepEqual(Object.keys(word).sort(), forms, `${lang} ${key}`);
  }
});

test('no translation loses or invents a placeholder', () => {
  for (const lang of ['ar', 'am'])
    for (const [key, word] of Object.entries(catalogs[lang])) {
      const english = catalogs.en[key];
      if (typeof word === 'string') assert.equal(placeholders(word), placeholders(english), `${lang} ${key}`);
      // "One class" may say it without the number; {n} is allowed to go, nothing else is.
      else for (const form of Object.values(word)) assert.match(placeholders(form), /^(\{n\})?$/, `${lang} ${key}`);
    }
});

test('no word is left over, none is asked for in vain', async () => {
  const code = (await Promise.all((await sources('.js')).map((name) => readFile(path.join(STATIC, name), 'utf8')))).join('\n');
  const families = [...code.matchAll(/word\('(\w+)'|`([\w.]+?)[._]\$\{/g)].map((found) => found[1] ?? found[2]);
  const unused = Object.keys(catalogs.en).filter((key) => !code.includes(`'${key}'`) && !code.includes(`\`${key}\``) && !families.some((family) => key.startsWith(`${family}.`) || key.startsWith(`${family}_`)));
  const wanted = [...code.matchAll(/\bt\('([\w.]+)'/g)].map(([, key]) => key);

  assert.deepEqual(unused, []);
  assert.deepEqual(wanted.filter((key) => !(key in catalogs.en)), []);
});

test('no words stand in the markup', async () => {
  for (const name of await sources('.html')) {
    const html = await readFile(path.join(STATIC, name), 'utf8');
    const text = html.replace(/<!doctype[^>]*>|<title>classclock<\/title>|<[^>]+>/g, '').trim();
    assert.equal(text, '', `${name} says ${JSON.stringify(text)}`);
    assert.doesNotMatch(html, /\son\w+=|\sstyle=|<script(?![^>]*\ssrc=)|<style/, `${name} has inline script or style`);
  }
});

test('no page puts words together by hand', async () => {
  for (const name of await sources('.js')) {
    const code = await readFile(path.join(STATIC, name), 'utf8');
    const loose = [...code.matchAll(/>\s*([A-Z][a-z]+(?: [a-z]+)+)\s*</g)].map(([, text]) => text);
    assert.deepEqual(loose, [], name);
    assert.doesNotMatch(code, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, name);
  }
});
