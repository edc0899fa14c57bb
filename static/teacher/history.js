// A teacher's own classes and minutes, month by month.

import { Component, Empty, Icon, Name, html } from '../lib/ui.js';
import { api, now, query } from '../lib/api.js';
import { isoDay, month as monthName, number, t, word } from '../lib/i18n.js';
import { Badge, Duration, Marks, When } from '../lib/session.js';
import { Freshness, Refresher, UNTRIED } from '../lib/shell.js';
import { Attendance } from './attendance.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').SessionList} SessionList */
/**
 * @typedef {{
 *   month: string,
 *   list: SessionList | null,
 *   rows: Session[],
 *   more: boolean,
 *   marking: Session | null,
 *   health: import('../lib/shell.js').Health,
 * }} State
 */

/** @param {string} month YYYY-MM @param {number} by */
function shift(month, by) {
  const [year, number] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
}

/** @param {string} month */
const lastDay = (month) =>
  new Date(Date.parse(`${shift(month, 1)}-01T00:00:00Z`) - 864e5).toISOString().slice(0, 10);

/** @extends {Component<{}, State>} */
export class History extends Component {
  /** @type {State} */
  state = {
    month: new URLSearchParams(location.search).get('month') ?? isoDay(now()).slice(0, 7),
    list: null, rows: [], more: false, marking: null,
    health: UNTRIED,
  };

  refresher = new Refresher((poll) => this.load(poll), (health) => this.setState({ health }), 120);

  componentDidMount() {
    this.refresher.start();
  }

  componentWillUnmount() {
    this.refresher.stop();
  }

  /** @param {string | null} [cursor] */
  address(cursor) {
    const { month } = this.state;
    return `/api/teacher/sessions${query({ from: `${month}-01`, to: lastDay(month), limit: 100, cursor })}`;
  }

  /** @param {boolean} poll */
  async load(poll) {
    const { turn } = this.refresher;
    const list = /** @type {SessionList} */ (await api('GET', this.address(), undefined, { poll }));

    if (turn !== this.refresher.turn) return;
    // Pages that were opened stay open, from where the first ends; only that one is asked for anew.
    const { rows, list: before } = this.state;
    const end = rows.findIndex(({ id }) => id === list.sessions[list.sessions.length - 1]?.id);
    const older = end < 0 ? [] : rows.slice(end + 1);
    const next = older.length ? (before?.next_cursor ?? null) : list.next_cursor;
    this.setState({ list: { ...list, next_cursor: next }, rows: [...list.sessions, ...older] });
  }

  more = async () => {
    const { month, list: before } = this.state;

    this.setState({ more: true });
    try {
      const list = /** @type {SessionList} */ (await api('GET', this.address(before?.next_cursor)));
      // They belong behind the rows for which they were asked.
      if (month === this.state.month && before?.next_cursor === this.state.list?.next_cursor)
        this.setState({ list, rows: [...this.state.rows, ...list.sessions] });
    } catch {
      this.refresher.now();
    }
    this.setState({ more: false });
  };

  /** @param {number} by */
  turn(by) {
    const month = shift(this.state.month, by);
    history.replaceState(null, '', `/teacher/?view=history&month=${month}`);
    this.setState({ month, list: null, rows: [] }, this.refresher.now);
  }

  /** A list that was asked for before it is older. @param {Session} session */
  marked = (session) => {
    this.setState({ rows: this.state.rows.map((row) => (row.id === session.id ? session : row)) });
    this.refresher.now();
  };

  /** @param {unknown} _ @param {State} state */
  render(_, { month, list, rows, more, marking, health }) {
    const totals = list?.totals;
    const waits = html`<i class="skeleton"></i>`;

    return html`
      <div class="head"><h1>${t('nav.history')}</h1>
        <${Freshness} health=${health} onRefresh=${this.refresher.now} /></div>
      <div class="months">
        <button type="button" aria-label=${t('history.earlier')} onClick=${() => this.turn(-1)}>
          <${Icon} name="back" /></button>
        <h2 aria-live="polite">${monthName(month)}</h2>
        <button type="button" aria-label=${t('history.later')} disabled=${month >= isoDay(now()).slice(0, 7)}
          onClick=${() => this.turn(1)}><${Icon} name="forward" /></button>
      </div>
      <ul class="cards">
        <li><div class="card"><span>${t('history.classes')}</span>
          <strong>${totals ? number(totals.ended + totals.timeout + totals.active) : waits}</strong></div></li>
        <li><div class="card"><span>${t('history.minutes')}</span>
          <strong>${totals ? number(totals.minutes) : waits}</strong></div></li>
        <li><div class="card"><span>${t('history.missed')}</span>
          <strong>${totals ? number(totals.missed) : waits}</strong></div></li>
      </ul>
      ${!list ? html`<ul class="classes skeleton"
        aria-busy="true">${[1, 2, 3, 4, 5].map(() => html`<li><i></i></li>`)}</ul>`
        : !rows.length ? html`<${Empty} title=${t('history.none')} text=${t('history.none_text')} />`
        : html`<ul class="classes">${rows.map((s) => html`
          <li key=${s.id}>
            <div><strong><${Name} text=${s.student.name} /></strong> <${Badge} status=${s.session_status} /></div>
            <div class="muted"><${When} at=${s.clicked_at ?? s.sent_at} />
              ${s.session_ended_at && html` – <${When} at=${s.session_ended_at} beside=${s.clicked_at} />`}</div>
            <div><span class="num"><${Duration} session=${s} /></span> <${Marks} session=${s} /></div>
            ${['ended', 'timeout', 'missed'].includes(s.session_status) && html`
              <button type="button" class="small" onClick=${() => this.setState({ marking: s })}>
                ${s.attendance ? word('attendance', s.attendance) : t('attendance.mark')}</button>`}
          </li>`)}</ul>`}
      ${list?.next_cursor && html`<p class="center">
        <button type="button" disabled=${more} onClick=${this.more}>${t('history.more')}</button></p>`}
      ${marking && html`
        <${Attendance} session=${rows.find(({ id }) => id === marking.id) ?? marking} onDone=${this.marked}
          onClose=${() => this.setState({ marking: null })} />`}
    `;
  }
}
