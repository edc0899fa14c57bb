// How one session looks in a list: its badge, its times, its minutes.

import { Component, Pure, html } from './ui.js';
import { dayTime, full, isoDay, minutes, stopwatch, t, time, word } from './i18n.js';
import { now, onTick } from './api.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').Status} Status */

export const STATUSES = /** @type {Status[]} */ (['sent', 'active', 'ended', 'timeout', 'missed', 'cancelled']);
export const ATTENDANCE = /** @type {const} */ (['present', 'late', 'absent', 'excused']);

/** Is this session still something to act on? @param {{session_status: Status} | null} session */
export const open = (session) => session?.session_status === 'active' || session?.session_status === 'sent';

/** Each status has a shape of its own, so that colour is never the only sign. */
const shapes = {
  sent: 'M2.5 6h7M6.5 3l3 3-3 3',
  active: 'M6 2.6a3.4 3.4 0 1 0 .01 0',
  ended: 'm2.5 6.4 2.4 2.4L9.5 3.6',
  timeout: 'M6 1.6a4.4 4.4 0 1 0 .01 0M6 3.6V6l1.7 1.1',
  missed: 'M6 2v4.6M6 9.4v.2',
  cancelled: 'm3 3 6 6M9 3 3 9',
};

/** @extends {Pure<{status: Status}>} */
export class Badge extends Pure {
  /** @param {{status: Status}} props */
  render({ status }) {
    return html`<span class=${`badge ${status}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true"><path d=${shapes[status]} /></svg>${word('status', status)}</span>`;
  }
}

/**
 * What to know about the minutes: a guess of the deadline, or not settled yet.
 * @param {{session: Session}} props
 */
export const Marks = ({ session }) => [
  session.estimated && html`<span class="mark-note"
    title=${t('mark.estimated_text')}>${t('mark.estimated')}</span>`,
  ' ',
  session.provisional && session.session_status !== 'active' && html`
    <span class="mark-note" title=${t('mark.provisional_text')}>${t('mark.provisional')}</span>`,
];

/** Milliseconds since the click, by the server's clock, at most to the deadline. @param {Session} session */
export function running(session) {
  const from = Date.parse(session.clicked_at ?? '');
  const deadline = Date.parse(session.times_out_at ?? '');

  return Math.max(0, Math.min(now(), deadline || Infinity) - from);
}

/** The stopwatch of a running class. @extends {Component<{session: Session}, {text: string}>} */
export class Stopwatch extends Component {
  state = { text: stopwatch(running(this.props.session)) };

  componentDidMount() {
    this.stop = onTick(() => {
      const text = stopwatch(running(this.props.session));
      if (text !== this.state.text) this.setState({ text });
    });
  }

  componentWillUnmount() {
    this.stop?.();
  }

  /** @param {unknown} _ @param {{text: string}} state */
  render(_, { text }) {
    return html`<span class="stopwatch" role="timer" aria-live="off">${text}</span>`;
  }

  /** @type {(() => void) | undefined} */
  stop;
}

/** @param {{session: Session}} props */
export const Duration = ({ session }) => {
  if (session.session_status === 'active') return html`<${Stopwatch} session=${session} />`;
  return session.session_duration_minutes == null ? '–' : minutes(session.session_duration_minutes);
};

/** @typedef {{at: string | null, beside?: string | null}} Moments */

/**
 * A moment as short as its neighbour allows: the day only where it differs.
 * @extends {Pure<Moments>}
 */
export class When extends Pure {
  /** @param {Moments} props */
  render({ at, beside }) {
    if (!at) return html`<span class="none">–</span>`;
    const short = beside && isoDay(beside) === isoDay(at) ? time(at) : dayTime(at);
    return html`<time datetime=${at} onPointerEnter=${explainTime}>${short}</time>`;
  }
}

/** The moment in full, made only for whom it matters. @param {PointerEvent} event */
export function explainTime({ currentTarget }) {
  const time = /** @type {HTMLTimeElement} */ (currentTarget);
  time.title = full(time.dateTime);
}

/** What decided the end. @param {Session} session */
export function endedBy(session) {
  if (session.session_status === 'timeout') return t('ended_by.timeout');
  return session.ended_by ? word('ended_by', session.ended_by) : '–';
}

/**
 * Why a message did not arrive and what to do; what only a newer server knows, in its own words.
 * @param {Pick<Session, 'delivery_outcome' | 'delivery_detail'>} of
 */
export function advice({ delivery_outcome: outcome, delivery_detail: detail }) {
  const said = outcome && word('advice', outcome);
  return said && said !== outcome ? said : detail;
}
