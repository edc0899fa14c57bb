// The evidence of one session, in the order in which it happened.

import { Name, html } from './ui.js';
import { day, full, isoDay, minutes, money, t, timeExact, word } from './i18n.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').Evidence} Evidence */

/** What may decide an end, the better first, by who is said to have ended it. @type {Record<string, string[]>} */
const ENDS = {
  zoom: ['zoom_ended', 'zoom_left'], teacher_left: ['teacher_left'], teacher: ['teacher_ended'],
  admin: ['corrected', 'admin_ended'], timeout: ['timed_out'],
};

/** The evidence that the minutes stand on. @param {Session} s @param {Evidence[]} events */
function deciding(s, events) {
  const by = s.session_status === 'timeout' ? 'timeout' : (s.ended_by ?? '');
  /**
   * Of the kinds at that moment the first, of its pieces the newest.
   * @param {'clicked_at' | 'session_ended_at'} field
   * @param {string[]} kinds
   */
  const find = (field, kinds) => {
    const there = events.filter(({ kind, happened_at, detail }) =>
      happened_at === s[field] && (kind !== 'corrected' || detail?.field === field));
    const best = kinds.find((name) => there.some(({ kind }) => kind === name));
    return there.filter(({ kind }) => kind === best).pop();
  };

  return { start: find('clicked_at', ['corrected', 'clicked', 'reopened']), end: find('session_ended_at', ENDS[by] ?? []) };
}

/** @param {{events: Evidence[], session: Session | undefined}} props */
export const Timeline = ({ events, session }) => {
  const { start, end } = session ? deciding(session, events) : {};
  const at = (/** @type {Evidence} */ event) => Date.parse(event.happened_at);
  const ordered = [...events].sort((a, b) => at(a) - at(b) || (a.id ?? 0) - (b.id ?? 0));
  const newDay = (/** @type {number} */ i) => i === 0 || isoDay(at(ordered[i - 1])) !== isoDay(at(ordered[i]));

  return html`
    <ol class="timeline">
      ${ordered.map((event, i) => html`
        <li key=${event.id ?? i} class=${event.kind}>
          ${newDay(i) && html`<p class="date">${day(event.happened_at)}</p>`}
          <time datetime=${event.happened_at}
            title=${full(event.happened_at)}>${timeExact(event.happened_at)}</time>
          <div>
            <p><strong>${nameOf(event)}</strong> <span class="muted"><${Source} event=${event} /></span></p>
            ${event === start && html`<p class="decides">${t('evidence.start')}</p>`}
            ${event === end && html`<p class="decides">${t('evidence.end')}</p>`}
            <${Received} event=${event} />
            <${Detail} event=${event} />
          </div>
        </li>`)}
    </ol>
    ${!events.length && html`<p class="muted">${t('panel.no_evidence')}</p>`}
  `;
};

/** By whom: the kinds of which the name says it. @type {Record<string, string>} */
const SAID = { clicked: 'student', teacher_ended: 'teacher', teacher_left: 'teacher', admin_ended: 'admin' };

/** @param {{event: Evidence}} props */
const Source = ({ event: { kind, source, account } }) => {
  if (account) return html`· <${Name} text=${account.name} />`;
  return source && source !== SAID[kind] ? word('source', source) : null;
};

/** Only worth a line when the news was late. @param {{event: Evidence}} props */
const Received = ({ event }) => {
  const late = Date.parse(event.received_at) - Date.parse(event.happened_at);

  if (late < 5000) return null;
  const soon = isoDay(event.received_at) === isoDay(event.happened_at);
  const time = soon ? timeExact(event.received_at) : full(event.received_at);
  return html`<p class="muted">${t('evidence.received', { time })}</p>`;
};

/** What a person needs of the rest: why, who, for how long. @param {{event: Evidence}} props */
const Detail = ({ event: { kind, detail } }) => {
  if (!detail) return null;
  const { reason, note, side, role = side, seconds, attendance, delivery, package_rate: rate, currency } =
    /** @type {Record<string, any>} */ (detail);
  const words = [
    role && word('side', role),
    attendance && word('attendance', attendance),
    kind !== 'sent' && delivery && word('delivery', delivery),
    rate && money(rate, currency),
    seconds && t('evidence.for', { time: minutes(Math.round(seconds / 60)) }),
  ].filter(Boolean);

  return html`
    ${words.length > 0 && html`<p>${words.join(' · ')}</p>`}
    ${[reason, note, kind === 'delivery' && detail.detail].filter(Boolean).map((text) => html`<p class="quote"
      dir="auto">${String(text)}</p>`)}
  `;
};

/** @param {Evidence} event */
function nameOf({ kind, detail }) {
  return kind === 'corrected' && detail?.field ? word('corrected', String(detail.field)) : word('kind', kind);
}

export const TimelineSkeleton = () => html`
  <div class="skeleton lines" aria-busy="true">${[1, 2, 3, 4].map(() => html`<i></i>`)}</div>
`;
