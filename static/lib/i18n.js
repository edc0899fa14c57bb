// Words in the reader's language: t('sessions.count', {n: 3}).

import { remember } from './store.js';

/** @typedef {Record<string, string>} Plural */
/** @typedef {typeof import('./catalog/en.js').default} Catalog */
/** @typedef {keyof Catalog} Key */
/** @typedef {{[K in Key]: Catalog[K] extends string ? string : Plural}} Translation */

export const LANGUAGES = /** @type {const} */ ({ en: 'English', ar: 'العربية', am: 'አማርኛ' });

export const language = document.documentElement.lang;

/** The reader's own region where it fits the language: it decides digits and the order of dates. */
export const locale =
  navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;

/** @type {Record<string, string | Plural>} */
const catalog = (await import(`./catalog/${language}.js`)).default;

/**
 * Made when it is first wanted: the browser takes its time to load what Intl knows.
 * @template T
 * @param {() => T} make
 */
export function once(make) {
  /** @type {T | undefined} */
  let made;
  return () => (made ??= make());
}
const plurals = once(() => new Intl.PluralRules(locale));
const numbers = once(() => new Intl.NumberFormat(locale));

/** Without the invisible signs that would turn the words after them round. @param {string} text */
export const plain = (text) => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '');

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const turned = document.documentElement.dir === 'rtl';

/** A name inside a sentence must not turn the sentence round. @param {string} text */
const isolate = (text) => (turned || RIGHT_TO_LEFT.test(text) ? `\u2068${plain(text)}\u2069` : plain(text));

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [params] `n` chooses the plural form
 * @returns {string}
 */
export function t(key, params = {}) {
  const entry = catalog[key];
  const form =
    typeof entry === 'object' ? (entry[plurals().select(Number(params.n))] ?? entry.other) : entry;

  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = params[name];
    return typeof value === 'number' ? numbers().format(value) : isolate(String(value ?? ''));
  });
}

/**
 * A word for a code of the server, or the code itself when a newer server says something new.
 * @param {string} prefix
 * @param {string} code
 */
export function word(prefix, code) {
  const key = `${prefix}.${code}`;
  return key in catalog ? t(/** @type {Key} */ (key)) : code;
}

/** @param {string} lang */
export function setLanguage(lang) {
  remember('language', lang);
  location.reload();
}
