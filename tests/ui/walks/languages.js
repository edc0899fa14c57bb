// English, Arabic and Amharic: chosen by the browser, remembered, complete.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { NARROW, fits, isAccessible, makeTeacher, settled, theAdmin, walk } from '../lib/stage.js';
import { sample } from '../lib/sample.js';

const CATALOG = fileURLToPath(new URL('../../../static/lib/catalog', import.meta.url));
const words = async (lang) => (await import(`${CATALOG}/${lang}.js`)).default;
const PAGES = ['/admin/', '/admin/attention', '/admin/zoom-inbox', '/admin/people', '/admin/people?tab=students', '/admin/packages', '/admin/trends', '/admin/settings'];

walk('the browser’s language is spoken, another is remembered', async (t, open) => {
  const page = await open({ lang: 'ar-EG' });
  await page.getByRole('button', { name: 'تسجيل الدخول' }).waitFor();
  assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ['ar', 'rtl']);
  await page.getByLabel('اللغة').selectOption('am');
  await page.getByRole('button', { name: 'ግባ' }).waitFor();
  assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ['am', 'ltr']);
  await page.goto('/invite');
  await page.getByRole('heading', { name: 'ይህ ግብዣ ከእንግዲህ አይሠራም' }).waitFor();
});

walk('by keys one goes through the languages, and speaks the one that is left or entered', async (t, open) => {
  const page = await open();
  const list = page.getByRole('combobox').first();
  const lang = () => page.evaluate(() => document.documentElement.lang);
  let loads = 0;
  page.on('framenavigated', () => loads++); // its "load" comes after what is seen of it
  await list.focus();
  for (const tag of ['ar', 'am']) {
    await list.press('ArrowDown');
    assert.deepEqual([await list.inputValue(), await lang()], [tag, 'en']);
  }
  await list.press('Enter');
  await page.getByRole('button', { name: 'ግባ' }).waitFor();
  assert.equal(loads, 1);
  await list.press('ArrowUp');
  await list.press('Tab');
  await page.getByRole('button', { name: 'تسجيل الدخول' }).waitFor();
  await page.evaluate(() => {
    const { setTimeout: later } = window;
    window.setTimeout = (fn, ms = 5000) => later(fn, ms); // a busy machine has keys before it has timers
  });
  await list.focus();
  for (const key of ['Space', 'ArrowUp', 'Enter']) await page.keyboard.press(key); // in the opened list
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
});

walk('colours are chosen and remembered', async (t, open) => {
  const page = await open({ theme: 'light' });
  const background = () => page.evaluate(() => getComputedStyle(document.querySelector('main')).backgroundColor);
  await page.getByLabel('Colours').waitFor();
  const light = await background();
  await page.getByLabel('Colours').selectOption('dark');
  assert.notEqual(await background(), light);
  await page.reload();
  await page.getByLabel('Colours').waitFor();
  assert.notEqual(await background(), light);
});

walk('numbers and dates follow the region', async (t, open) => {
  const page = await open({ who: theAdmin(), lang: 'ar-EG', path: '/admin/' });
  await settled(page);
  assert.match(await page.locator('tbody time').first().textContent(), /[٠-٩]{2}:[٠-٩]{2}/);
  assert.match(await page.locator('.wall').textContent(), /توقيت شرق أفريقيا/);
});

for (const lang of sample(['ar', 'am'], 1))
  walk(`no page speaks English to a reader of ${lang === 'ar' ? 'Arabic' : 'Amharic'}`, async (t, open) => {
    const [english, own] = [await words('en'), await words(lang)];
    const texts = (catalog) => Object.values(catalog).flatMap((word) => (typeof word === 'string' ? [word] : Object.values(word)));
    const same = new Set(texts(own));
    const foreign = new Set(texts(english).filter((text) => !same.has(text) && /[a-z]{3}/.test(text)));
    /** Every text a reader meets, attributes too; names of people stand in <bdi>. */
    const read = (page) => page.evaluate(() => {
      const found = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) if (!walker.currentNode.parentElement.closest('bdi, option')) found.push(walker.currentNode.data.trim());
      for (const e of document.querySelectorAll('[title], [aria-label], [placeholder]')) if (!e.closest('bdi')) found.push(e.title, e.getAttribute('aria-label') ?? '', e.placeholder ?? '');
      return found.filter(Boolean);
    });
    const page = await open({ who: theAdmin(), lang, path: '' });

    for (const target of PAGES) {
      await page.goto(target);
      await settled(page);
      if (target === '/admin/') await page.locator('tbody a').first().click();
      const heard = (await read(page)).filter((text) => foreign.has(text));
      assert.deepEqual(heard, [], `${target} in ${lang}`);
    }
    const teacher = await makeTeacher();
    const own2 = await open({ who: teacher.client, lang, path: '/teacher/' });
    await settled(own2);
    assert.deepEqual((await read(own2)).filter((text) => foreign.has(text)), []);
  });

/** They come from nginx alone, when nothing else answers. */
for (const file of ['again', 'again-end'])
  walk(`${file}.html asks for a moment in each language`, async (t, open) => {
    const page = await open({ path: '', size: NARROW });
    const text = await readFile(new URL(`../../../nginx/errors/${file}.html`, import.meta.url), 'utf8');
    await page.setContent(text.replace('http-equiv="refresh"', '')); // it stays to be looked at
    assert.deepEqual(await page.locator('section').evaluateAll((all) => all.map(({ lang, dir }) => [lang, dir])), [['en', 'ltr'], ['ar', 'rtl'], ['am', 'ltr']]);
    await isAccessible(page, file);
    await fits(page, file);
  });
