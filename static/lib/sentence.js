// What a session's minutes are made of, in one sentence: the server says it in English, this words its facts.

import { dayTime, dayTimeExact, hours, isoDay, minutes, t, time, timeExact } from './i18n.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').Explained} Explained */

/**
 * @param {Session} s
 * @param {Explained} x of the same answer
 */
export function sentence(s, x) {
  /** The day only where it is not the day of sending. @param {string | null} moment */
  const at = (moment) => {
    if (!moment) return '';
    const [short, long] = x.with_seconds ? [timeExact, dayTimeExact] : [time, dayTime];
    return (isoDay(moment) === isoDay(s.sent_at) ? short : long)(moment);
  };
  const begun = () => t(x.began_by ? `explain.began_${x.began_by}` : 'explain.opened', { time: at(s.clicked_at) });
  const words = { minutes: minutes(s.session_duration_minutes ?? 0), sent: at(s.sent_at), deadline: at(s.times_out_at) };

  switch (s.session_status) {
    case 'sent': return t('explain.sent', words);
    case 'missed': return t('explain.missed', { ...words, hours: hours(x.link_hours) });
    case 'cancelled': return t(`explain.cancelled_${x.withdrawn_by ?? 'teacher'}`, words);
    case 'active': return t('explain.active', { ...words, start: begun() });
    case 'timeout': return t(s.estimated ? 'explain.timeout' : 'explain.timeout_seen', {
      ...words, start: begun(), presence: together(s, x, at), limit: limit(x),
    });
    case 'ended': return t('explain.ended', {
      ...words, start: begun(), presence: together(s, x, at), end: end(s, x, at),
    });
  }
}

/** @typedef {(moment: string | null) => string} At */

/** @param {Session} s @param {Explained} x @param {At} at */
function together(s, x, at) {
  if (!s.presence) return '';
  if (!x.together_from) return t('explain.never_both');
  if (!x.together_to) return t('explain.both_from', { from: at(x.together_from) });
  return t('explain.both', {
    from: at(x.together_from), to: at(x.together_to), minutes: minutes(s.presence.both_minutes ?? 0),
  });
}

/** @param {Explained} x */
function limit({ reopened, duration_minutes: duration, buffer_minutes: buffer }) {
  return reopened ? t('explain.limit_reopened') : t('explain.limit', { duration, buffer });
}

/** @param {Session} s @param {Explained} x @param {At} at */
function end(s, x, at) {
  const end = t(`explain.by_${s.ended_by ?? 'teacher'}`, { end: at(s.session_ended_at) });
  return x.end_corrected ? t('explain.end_corrected', { end }) : end;
}
