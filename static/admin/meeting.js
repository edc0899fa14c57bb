// An admin's word about a Zoom meeting: whose class it was, or that it was none.

import { Component, Field, Name, Notice, html } from '../lib/ui.js';
import { api, explain, query } from '../lib/api.js';
import { dayTime, isoDay, t, time } from '../lib/i18n.js';
import { FormDialog } from '../lib/form.js';
import { Badge } from '../lib/session.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').Named} Named */
/** @typedef {import('../types').SessionList} SessionList */
/** @typedef {import('../lib/form.js').Wrong} Wrong */
/** @typedef {'assign' | 'move' | 'dismiss' | 'take_back'} Wish */
/**
 * One run of a meeting, as lib/zoom_inbox.h has it.
 * @typedef {object} Meeting
 * @property {string} uuid
 * @property {number | null} meeting_id
 * @property {Named | null} teacher who hosts it, where that is known
 * @property {string | null} began_at
 * @property {string | null} ended_at
 * @property {number} people
 * @property {'waiting' | 'dismissed' | 'assigned'} state
 * @property {{id: number, student_name: string, session_status: import('../types').Status} | null} session
 * @property {'rule' | 'admin'} decided_by
 * @property {string | null} reason
 */
/**
 * @typedef {object} Props
 * @property {Meeting} meeting
 * @property {Wish} wish
 * @property {(session_id: number | null, reason: string) => Promise<void>} onSave throws a Problem to be shown
 * @property {() => void} onClose
 */
/** @typedef {{q: string, classes: Session[] | null, error: unknown}} State */

/** Classes offered at once, the nearest in time first. */
const OFFERED = 12;
const DAY = 864e5;

/** @extends {Component<Props, State>} */
export class MeetingDialog extends Component {
  /** @type {State} */
  state = { q: '', classes: null, error: null };

  timer = 0;
  turn = 0;

  componentDidMount() {
    if (this.wantsClass()) this.find();
  }

  componentWillUnmount() {
    clearTimeout(this.timer);
    this.turn++;
  }

  wantsClass() {
    return this.props.wish === 'assign' || this.props.wish === 'move';
  }

  /** Classes of the days around the meeting: its teacher's, or all where a name is searched for. */
  find = async () => {
    const { teacher, began_at } = this.props.meeting;
    const { q } = this.state;
    const turn = ++this.turn;
    const at = began_at ? Date.parse(began_at) : Date.now();
    const filter = {
      from: isoDay(at - DAY), to: isoDay(at + DAY), q, teacher_id: q ? null : teacher?.id, limit: 200,
    };

    const far = (/** @type {Session} */ s) => Math.abs(Date.parse(s.clicked_at ?? s.sent_at) - at);
    /** @type {Session[]} */
    let near = [];
    /** @type {string | null} */
    let cursor = null;

    try {
      do { // the list begins with the newest: the nearest may be on any of its pages
        const page = /** @type {SessionList} */ (
          await api('GET', `/api/admin/teacher-sessions${query({ ...filter, cursor })}`)
        );
        near = [...near, ...page.sessions].sort((a, b) => far(a) - far(b)).slice(0, OFFERED);
        cursor = page.next_cursor;
      } while (cursor && turn === this.turn);
      if (turn === this.turn) this.setState({ classes: near, error: null });
    } catch (error) {
      if (turn === this.turn) this.setState({ error });
    }
  };

  /** @param {any} event */
  search = ({ target }) => {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.setState({ q: target.value.trim() }, this.find), 250);
  };

  /** Who searches is not done: Enter assigns nothing that was chosen before. @param {KeyboardEvent} event */
  enter = (event) => {
    if (event.key === 'Enter') event.preventDefault();
  };

  /** @param {Record<string, string | null>} given */
  save = ({ session_id, reason }) => this.props.onSave(session_id ? Number(session_id) : null, reason ?? '');

  /** @param {Wrong} wrong */
  choices(wrong) {
    const { classes, error } = this.state;

    return html`
      <${Field} label=${t('filter.q')} name="q" type="search" maxlength="100" autocomplete="off"
        placeholder=${t('filter.q_hint')} onInput=${this.search} onKeyDown=${this.enter} />
      ${error ? html`<${Notice} text=${explain(error)} onRetry=${this.find} />`
        : !classes ? html`<div class="skeleton lines" aria-busy="true"><i></i><i></i><i></i></div>`
        : !classes.length ? html`<p>${t('inbox.no_class')}</p>`
        : html`<fieldset class="classes"><legend>${t('inbox.near')}</legend>
            ${classes.map((session) => html`<${Choice} key=${session.id} session=${session} />`)}</fieldset>`}
      ${wrong('session_id') && html`<p class="error">${wrong('session_id')}</p>`}
    `;
  }

  /** @param {Props} props */
  render({ meeting, wish, onClose }) {
    const { began_at: began, ended_at: ended, teacher } = meeting;

    return html`
      <${FormDialog} title=${t(`inbox.${wish}`)} label=${t(`inbox.${wish}`)} onSave=${this.save} onClose=${onClose}>
        ${(/** @type {Wrong} */ wrong) => html`
          <p><strong>${teacher ? html`<${Name} text=${teacher.name} />` : t('inbox.host_unknown')}</strong>
            ${began && html` ${dayTime(began)} – ${ended ? time(ended) : '…'}`}</p>
          <p class="muted">${t(`inbox.about_${wish}`)}</p>
          ${this.wantsClass() && this.choices(wrong)}
          <${Field} label=${t('field.reason')} name="reason" required maxlength="500" dir="auto" autocomplete="off"
            error=${wrong('reason')} />`}
      <//>
    `;
  }
}

/** @param {{session: Session}} props */
const Choice = ({ session: s }) => html`
  <label class="check">
    <input type="radio" name="session_id" value=${s.id} required />
    <span><strong><${Name} text=${s.student.name} /></strong> <span class="muted">
      <${Name} text=${s.teacher.name} /> · ${dayTime(s.clicked_at ?? s.sent_at)}</span></span>
    <${Badge} status=${s.session_status} />
  </label>
`;
