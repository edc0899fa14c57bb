// Words, numbers, money and moments in the reader's language and the academy's zone: t('sessions.count', {n: 3}).

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

let zone = 'UTC';

/** @param {string} name an IANA zone; one that the browser does not know is UTC */
export function setZone(name) {
  zone = name;
  try {
    wallClock();
  } catch {
    zone = 'UTC';
  }
}

export const currentZone = () => zone;

/** @typedef {string | number} Moment an ISO string or milliseconds */

/**
 * A format of moments in the zone, made when it is first wanted.
 * @param {Intl.DateTimeFormatOptions} options
 * @param {string} [tag]
 */
function zoned(options, tag = locale) {
  /** @type {Intl.DateTimeFormat | undefined} */
  let made;
  let madeFor = '';

  return () => {
    if (made && madeFor === zone) return made;
    madeFor = zone;
    return (made = new Intl.DateTimeFormat(tag, {
      timeZone: zone, calendar: 'gregory', hourCycle: 'h23', ...options,
    }));
  };
}

/** A format of days of the calendar. @param {Intl.DateTimeFormatOptions} options */
const calendar = (options) =>
  once(() => new Intl.DateTimeFormat(locale, { timeZone: 'UTC', calendar: 'gregory', ...options }));

/** @param {() => Intl.DateTimeFormat} format */
const teller = (format) => (/** @type {Moment} */ moment) => format().format(new Date(moment));

/** 14:05 */
export const time = teller(zoned({ hour: '2-digit', minute: '2-digit' }));

/** 14:05:09 */
export const timeExact = teller(zoned({ hour: '2-digit', minute: '2-digit', second: '2-digit' }));

/** 22 Nov */
export const day = teller(zoned({ day: 'numeric', month: 'short' }));

/** 22 Nov 14:05 */
export const dayTime = teller(zoned({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }));

/** 22 Nov 14:05:09 */
export const dayTimeExact = teller(zoned({
  day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit',
}));

/** Sunday 22 November 2026 at 14:05:09 East Africa Time */
export const full = teller(zoned({
  weekday: 'long', day: 'numeric', month: 'long', year: 'numeric',
  hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'long',
}));

const months = calendar({ month: 'long', year: 'numeric' });
const calendarDays = calendar({ weekday: 'short', day: 'numeric', month: 'short' });
const shortDays = calendar({ day: 'numeric', month: 'short' });
const weekdays = { long: calendar({ weekday: 'long' }), short: calendar({ weekday: 'short' }) };

/** November 2026 @param {string} yearMonth YYYY-MM */
export const month = (yearMonth) => months().format(new Date(`${yearMonth}-15T00:00:00Z`));

/** Sun 22 Nov, of a calendar day @param {string} isoDay YYYY-MM-DD */
export const calendarDay = (isoDay) => calendarDays().format(new Date(`${isoDay}T12:00:00Z`));

/** 22 Nov, the shortest way to say it @param {string} isoDay YYYY-MM-DD */
export const shortDay = (isoDay) => shortDays().format(new Date(`${isoDay}T12:00:00Z`));

/** Monday … of 0 to 6 @param {number} weekday @param {'long' | 'short'} width */
export const weekdayName = (weekday, width = 'short') =>
  weekdays[width]().format(new Date(Date.UTC(2024, 0, 1 + weekday))); // a Monday

const zoneNames = zoned({ timeZoneName: 'long' });

/** The zone in words: East Africa Time. @param {Moment} moment */
export function zoneName(moment) {
  const parts = zoneNames().formatToParts(new Date(moment));
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? zone;
}

/** The day of the academy, YYYY-MM-DD. @param {Moment} moment */
export const isoDay = (moment) => new Date(local(Number(new Date(moment)))).toISOString().slice(0, 10);

/** That many days later. @param {string} isoDay YYYY-MM-DD @param {number} days */
export const addDays = (isoDay, days) =>
  new Date(Date.parse(`${isoDay}T00:00:00Z`) + days * 864e5).toISOString().slice(0, 10);

/** The days of the month before, both inclusive. @param {string} today YYYY-MM-DD */
export function lastMonth(today) {
  const to = addDays(`${today.slice(0, 7)}-01`, -1);
  return { from: `${to.slice(0, 7)}-01`, to };
}

/** The first day after the last one. @param {{from?: string, to?: string}} days YYYY-MM-DD, or open */
export const backwards = ({ from, to }) => !!from && !!to && from > to;

const wallClock = zoned({
  year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
}, 'en-US');

const QUARTER = 15 * 60_000;
/** What was found, for the zone; no clock is put on or back within a quarter of an hour. @type {Map<string, number>} */
const offsets = new Map();

/** What a wall clock in the zone shows, in whole seconds, as if it were UTC. @param {number} ms */
function local(ms) {
  const second = Math.floor(ms / 1000) * 1000;
  const key = `${zone} ${Math.floor(ms / QUARTER)}`;
  let offset = offsets.get(key);

  if (offset === undefined) {
    /** @type {Record<string, number>} */
    const part = {};
    for (const { type, value } of wallClock().formatToParts(second)) part[type] = Number(value);
    offset = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - second;
    offsets.set(key, offset);
  }
  return second + offset;
}

/** For <input type=datetime-local>, in the academy's zone. @param {Moment} moment */
export const toInput = (moment) => new Date(local(Number(new Date(moment)))).toISOString().slice(0, 19);

/**
 * Back from <input type=datetime-local>. A time the clocks skip moves on, of one they repeat the nearer is meant.
 * @param {string} value
 * @param {Moment} near
 */
export function fromInput(value, near) {
  const wanted = Date.parse(`${value.length === 16 ? `${value}:00` : value}Z`);
  const apart = [wanted - 864e5, wanted + 864e5].map((ms) => local(ms) - ms);
  const found = apart.map((offset) => wanted - offset).filter((ms) => local(ms) === wanted);
  const far = (/** @type {number} */ ms) => Math.abs(ms - Number(new Date(near)));

  return new Date(found.sort((a, b) => far(a) - far(b))[0] ?? wanted - apart[0]).toISOString();
}

const shares = once(() => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }));
const pairs = once(() => new Intl.NumberFormat(locale, { minimumIntegerDigits: 2, useGrouping: false }));
const minuteCounts = once(() => new Intl.NumberFormat(locale, {
  style: 'unit', unit: 'minute', unitDisplay: 'short',
}));

const hourCounts = once(() => new Intl.NumberFormat(locale, { style: 'unit', unit: 'hour', unitDisplay: 'long' }));

const languages = once(() => new Intl.DisplayNames(locale, { type: 'language' }));

/** Swedish of sv @param {string} tag */
export function languageName(tag) {
  try {
    return languages().of(tag) ?? tag;
  } catch {
    return tag; // the server takes whatever looks like a tag
  }
}

/** @param {number} n */
export const number = (n) => numbers().format(n);

/** @param {number} part @param {number} whole */
export const share = (part, whole) => (whole ? shares().format(part / whole) : '–');

/** 48 min @param {number} n */
export const minutes = (n) => minuteCounts().format(n);

/** 12 hours @param {number} n */
export const hours = (n) => hourCounts().format(n);

/** 23:45 or 1:02:33 of a running class @param {number} ms */
export function stopwatch(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const clock = [Math.floor(s / 60) % 60, s % 60].map((n) => pairs().format(n));
  if (s >= 3600) clock.unshift(numbers().format(Math.floor(s / 3600)));
  return clock.join(':');
}

/** @param {string | null | undefined} amount a decimal string @param {string | null | undefined} currency */
export function money(amount, currency) {
  if (amount == null) return '–';
  try {
    // The code, not the sign: there is more than one dollar.
    const style = /** @type {const} */ ({ style: 'currency', currencyDisplay: 'code' });
    const format = new Intl.NumberFormat(locale, { ...style, currency: currency ?? '' });
    return format.format(/** @type {any} */ (amount));
  } catch {
    return `${amount} ${currency ?? ''}`.trim();
  }
}
