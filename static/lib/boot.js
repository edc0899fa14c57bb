// Runs before the first paint, so that nothing flips: language, direction, colours.
'use strict';

(() => {
  const root = document.documentElement;
  const languages = ['en', 'ar', 'am'];
  const dark = matchMedia('(prefers-color-scheme: dark)');

  /** @param {string} key */
  const saved = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };

  const wanted = [saved('language'), ...navigator.languages.map((tag) => tag.split('-')[0])];
  const lang = wanted.find((tag) => languages.includes(tag ?? '')) ?? 'en';
  root.lang = lang;
  root.dir = lang === 'ar' ? 'rtl' : 'ltr';

  const paint = () => {
    const theme = saved('theme');
    root.dataset.theme = theme === 'dark' || theme === 'light' ? theme : dark.matches ? 'dark' : 'light';
  };
  paint();
  dark.addEventListener('change', paint);
  document.addEventListener('theme', paint);

  // What the page will ask first is asked while its modules still load: data-ask="/api/…".
  for (const path of (document.currentScript?.dataset.ask ?? '').split(' ').filter(Boolean)) {
    const answer = fetch(path, { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(30_000) });
    answer.catch(() => null); // whoever asks for it deals with it
    (window.asked ??= {})[path] = { at: performance.now(), answer };
  }

  const catalog = document.createElement('link');
  catalog.rel = 'modulepreload';
  catalog.href = `/lib/catalog/${lang}.js`;
  document.head.append(catalog);
})();
