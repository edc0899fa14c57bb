// Numbers, money and moments for people: the reader's language, the academy's zone.

import { locale, once } from './i18n.js';

let zone = 'UTC';
/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} name an IANA zone */
export function setZone(name) {
  if (name !== zone) formats.clear();
  zone = name;
}

export const currentZone = () => zone;

/** @param {Intl.DateTimeFormatOptions} options */
function format(options) {
  const key = JSON.stringify(options);
  let found = formats.get(key);

  if (!found) {
    found = new Intl.DateTimeFormat(locale, {
      timeZone: zone,
      calendar: 'gregory',
      hourCycle: 'h23',
      ...options,
    });
    formats.set(key, found);
  }
  return found;
}

/** @typedef {string | number} Moment an ISO string or milliseconds */

/** @param {Moment} moment */
const date = (moment) => new Date(moment);

/** 14:05 @param {Moment} moment */
export const time = (moment) =>
  format({ hour: '2-digit', minute: '2-digit' }).format(date(moment));

/** 14:05:09 @param {Moment} moment */
export const timeExact = (moment) =>
  format({ hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(date(moment));

/** 22 Nov @param {Moment} moment */
export const day = (moment) => format({ day: 'numeric', month: 'short' }).format(date(moment));

/** 22 Nov 14:05 @param {Moment} moment */
export const dayTime = (moment) =>
  format({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(date(moment));

/** Sunday 22 November 2026 at 14:05:09 East Africa Time @param {Moment} moment */
export const full = (moment) =>
  format({
    weekday: 'long', day: 'numeric', month: 'long', year: 'numeric',
    hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'long',
  }).format(date(moment));

/** November 2026 @param {string} yearMonth YYYY-MM */
export const month = (yearMonth) =>
  new Intl.DateTimeFormat(locale, {
    timeZone: 'UTC', calendar: 'gregory', month: 'long', year: 'numeric',
  }).format(new Date(`${yearMonth}-15T00:00:00Z`));

/** Sun 22 Nov, of a calendar day @param {string} isoDay YYYY-MM-DD */
export const calendarDay = (isoDay) =>
  new Intl.DateTimeFormat(locale, {
    timeZone: 'UTC', calendar: 'gregory', weekday: 'short', day: 'numeric', month: 'short',
  }).format(new Date(`${isoDay}T12:00:00Z`));

/** 22 Nov, the shortest way to say it @param {string} isoDay YYYY-MM-DD */
export const shortDay = (isoDay) =>
  new Intl.DateTimeFormat(locale, {
    timeZone: 'UTC', calendar: 'gregory', day: 'numeric', month: 'short',
  }).format(new Date(`${isoDay}T12:00:00Z`));

/** Monday … of 0 to 6 @param {number} weekday @param {'long' | 'short'} width */
export const weekdayName = (weekday, width = 'short') =>
  new Intl.DateTimeFormat(locale, { timeZone: 'UTC', weekday: width }).format(
    new Date(Date.UTC(2024, 0, 1 + weekday)), // a Monday
  );

/** The zone in words: East Africa Time. @param {Moment} [moment] */
export function zoneName(moment = Date.now()) {
  const parts = format({ timeZoneName: 'long' }).formatToParts(date(moment));
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? zone;
}

/** The day of the academy, YYYY-MM-DD. @param {Moment} moment */
export function isoDay(moment) {
  return new Date(local(Number(date(moment)))).toISOString().slice(0, 10);
}

/** @type {Intl.DateTimeFormat | undefined} */
let plain;
let plainZone = '';

/** What a wall clock in the zone shows, as if it were UTC. @param {number} ms */
function local(ms) {
  if (!plain || plainZone !== zone) {
    plain = new Intl.DateTimeFormat('en-US', {
      timeZone: zone, calendar: 'gregory', hourCycle: 'h23', year: 'numeric', month: 'numeric',
      day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    });
    plainZone = zone;
  }
  /** @type {Record<string, number>} */
  const part = {};
  for (const { type, value } of plain.formatToParts(ms)) part[type] = Number(value);
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
}

/** For <input type=datetime-local>, in the academy's zone. @param {Moment} moment */
export const toInput = (moment) => new Date(local(Number(date(moment)))).toISOString().slice(0, 19);

/**
 * Back from <input type=datetime-local>. A time the clocks skip moves on, one they repeat is the first.
 * @param {string} value
 */
export function fromInput(value) {
  const wanted = Date.parse(`${value.length === 16 ? `${value}:00` : value}Z`);
  const offsets = [wanted - 864e5, wanted + 864e5].map((ms) => local(ms) - ms);
  const found = offsets.map((offset) => wanted - offset).filter((ms) => local(ms) === wanted);

  return new Date(found.length ? Math.min(...found) : wanted - offsets[0]).toISOString();
}

const numbers = once(() => new Intl.NumberFormat(locale));
const shares = once(() => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }));
const pairs = once(() => new Intl.NumberFormat(locale, { minimumIntegerDigits: 2, useGrouping: false }));
const minuteCounts = once(() => new Intl.NumberFormat(locale, {
  style: 'unit', unit: 'minute', unitDisplay: 'short',
}));

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
