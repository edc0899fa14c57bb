// What the sessions page shows, kept in the address bar: a view can be bookmarked and shared.

import { query } from '../lib/api.js';
import { now } from '../lib/clock.js';
import { isoDay } from '../lib/format.js';

export const PERIODS = /** @type {const} */ ([
  'today', 'yesterday', 'week', 'month', 'last_month', 'all', 'custom',
]);
export const LIMITS = [50, 100, 200];
const KEYS = [
  'period', 'from', 'to', 'status', 'teacher_id', 'student_id', 'package_id', 'q', 'limit', 'cursor', 'session',
];

/** @typedef {Record<string, string>} View only what differs from the usual */

/** @returns {View} */
export function readView() {
  const given = new URLSearchParams(location.search);
  /** @type {View} */
  const view = {};

  for (const key of KEYS) {
    const value = given.get(key);
    if (value) view[key] = value;
  }
  const date = given.get('date');
  if (date) Object.assign(view, { period: 'custom', from: date, to: date });
  else if ((view.from || view.to) && !view.period) view.period = 'custom';
  return view;
}

/** @param {View} view */
export const addressOf = (view) => `/admin/${query(view)}`;

/** @param {string} day YYYY-MM-DD @param {number} days */
function shift(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 864e5).toISOString().slice(0, 10);
}

/** The academy's days of a period, both inclusive. @param {View} view @returns {{from?: string, to?: string}} */
export function daysOf(view) {
  const today = isoDay(now());

  switch (view.period ?? 'week') {
    case 'today':
      return { from: today, to: today };
    case 'yesterday':
      return { from: shift(today, -1), to: shift(today, -1) };
    case 'week':
      return { from: shift(today, -6), to: today };
    case 'month':
      return { from: `${today.slice(0, 7)}-01`, to: today };
    case 'last_month': {
      const last = shift(`${today.slice(0, 7)}-01`, -1);
      return { from: `${last.slice(0, 7)}-01`, to: last };
    }
    case 'custom':
      return { from: view.from, to: view.to };
    default:
      return {};
  }
}

/** The filter as the server takes it, without the page. @param {View} view */
export function filterOf(view) {
  const { status, teacher_id, student_id, package_id, q } = view;
  return { ...daysOf(view), status, teacher_id, student_id, package_id, q };
}
