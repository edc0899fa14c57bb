// What is shown, kept in the address bar: a view can be bookmarked and shared.

import { now, query } from '../lib/api.js';
import { addDays, backwards, isoDay, lastMonth } from '../lib/i18n.js';

export const PERIODS = /** @type {const} */ ([
  'today', 'yesterday', 'week', 'month', 'last_month', 'all', 'custom',
]);
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

/** The academy's days of a period, both inclusive. @param {View} view */
function daysOf(view) {
  const today = isoDay(now());

  switch (view.period ?? 'week') {
    case 'today':
      return { days: 1 };
    case 'week':
      return { days: 7 }; // asked for in index.html too, when nobody knows the academy's day yet
    case 'yesterday':
      return { from: addDays(today, -1), to: addDays(today, -1) };
    case 'month':
      return { from: `${today.slice(0, 7)}-01`, to: today };
    case 'last_month':
      return lastMonth(today);
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

/** No answer is asked for. @param {View} view */
export const isBackwards = (view) => backwards(/** @type {any} */ (daysOf(view)));
