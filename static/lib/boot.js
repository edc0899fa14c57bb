// Runs before the first paint, so that nothing flips: language, direction, colours; and asks early.
'use strict';

(() => {
  // What the page will ask first is asked while its modules still load: data-ask="/api/…", and data-ask-plain
  // when the address asks for nothing in particular.
  const { ask = '', askPlain = '' } = document.currentScript?.dataset ?? {};
  for (const path of `${ask} ${location.search ? '' : askPlain}`.split(' ').filter(Boolean)) {
    const signal = AbortSignal.timeout?.(30_000); // older browsers, without it, wait as long as they like
    const answer = fetch(path, { headers: { Accept: 'application/json' }, signal });
    /** @type {{at: number, got?: number, answer: Promise<Response>}} */
    const early = { at: performance.now(), answer };

    answer.then(() => (early.got = performance.now()), () => null); // whoever asks for it deals with it
    (window.asked ??= {})[path] = early;
  }

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
  dark.addEventListener('change', () => document.dispatchEvent(new Event('theme')));
  document.addEventListener('theme', paint);

  // One module that does not come stops them all: then this is all there is to be seen, and brings its own words.
  const broken = {
    en: ['Something went wrong in this page.', 'Load it again.'],
    ar: ['حدث خطأ في هذه الصفحة.', 'أعد تحميلها.'],
    am: ['በዚህ ገጽ ላይ ስህተት ተፈጥሯል።', 'እንደገና ጫነው።'],
  };
  /** @param {Event} event */
  const tell = ({ target }) => {
    const place = document.getElementById('app');
    const ours = target === window || target instanceof HTMLScriptElement;
    if (!ours || !place || place.textContent?.trim()) return;
    const [what, load] = broken[/** @type {keyof typeof broken} */ (lang)];
    const [main, said, title, again] = ['main', 'div', 'h1', 'button'].map((tag) => document.createElement(tag));

    title.append(what);
    again.append(load);
    again.onclick = () => location.reload();
    said.className = 'empty';
    said.setAttribute('role', 'alert');
    said.append(title, again);
    main.append(said);
    place.replaceChildren(main);
  };
  addEventListener('error', tell, true);

  const catalog = document.createElement('link');
  catalog.rel = 'modulepreload';
  catalog.href = `/lib/catalog/${lang}.js`;
  document.head.append(catalog);
})();
