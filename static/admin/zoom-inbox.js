// The Zoom inbox: meetings that ran, whose class each was, and an admin's word about it.

import { Component, Empty, Name, Notice, html, say } from '../lib/ui.js';
import { api, explain, query } from '../lib/api.js';
import { dayTime, full, t, time, word } from '../lib/i18n.js';
import { Badge } from '../lib/session.js';
import { Freshness, Refresher, UNTRIED, start } from '../lib/shell.js';
import { MeetingDialog } from './meeting.js';

const INBOX = '/api/admin/zoom-inbox';
const STATES = /** @type {const} */ (['waiting', 'dismissed', 'assigned']);
const LIMIT = 200;

/** @typedef {import('./meeting.js').Meeting} Meeting */
/** @typedef {import('./meeting.js').Wish} Wish */
/**
 * @typedef {object} State
 * @property {string} tab one of STATES
 * @property {number | null} session only the meetings of this one
 * @property {Meeting[] | null} meetings
 * @property {boolean} more
 * @property {{meeting: Meeting, wish: Wish} | null} deciding
 * @property {unknown} error of the first load
 * @property {import('../lib/shell.js').Health} health
 */

/** @extends {Component<{me: import('../types').Me}, State>} */
class InboxPage extends Component {
  /** @type {State} */
  state = { ...this.address(), meetings: null, more: false, deciding: null, error: null, health: UNTRIED };

  refresher = new Refresher((poll) => this.load(poll), (health) => this.setState({ health }), 60);

  componentDidMount() {
    document.title = `${t('inbox.title')} · ${this.props.me.academy.name}`;
    addEventListener('popstate', () => this.setState({ ...this.address(), meetings: null }, this.refresher.now));
    this.refresher.start();
  }

  /** Whoever is at a meeting that goes with this answer goes on with the one that takes its place. */
  getSnapshotBeforeUpdate() {
    this.at = [...document.querySelectorAll('.meetings li')].findIndex((li) => li.contains(document.activeElement));
    return null;
  }

  componentDidUpdate() {
    if (this.at < 0 || document.activeElement !== document.body) return;
    const left = [...document.querySelectorAll('.meetings li')];
    const next = (left[this.at] ?? left.pop())?.querySelector('button') ?? document.querySelector('h1');
    next?.focus({ preventScroll: true });
  }

  at = -1;

  address() {
    const given = new URLSearchParams(location.search);
    return { tab: given.get('state') ?? 'waiting', session: Number(given.get('session')) || null };
  }

  /** @param {string} tab */
  go(tab) {
    history.pushState(null, '', `/admin/zoom-inbox${query({ state: tab === 'waiting' ? '' : tab })}`);
    this.setState({ tab, session: null, meetings: null }, this.refresher.now);
  }

  /** @param {boolean} poll */
  async load(poll) {
    const { tab, session } = this.state;
    const { turn } = this.refresher;
    const filter = session ? { session_id: session } : { state: tab };

    try {
      const { occurrences, more } = await api('GET', INBOX + query({ ...filter, limit: LIMIT }), undefined, { poll });
      if (turn === this.refresher.turn) this.setState({ meetings: occurrences, more, error: null });
    } catch (error) {
      if (turn === this.refresher.turn && !this.state.meetings) this.setState({ error });
      throw error;
    }
  }

  /** @param {number | null} session_id null: nobody's class @param {string} reason */
  decide = async (session_id, reason) => {
    await api('POST', INBOX, { uuid: this.state.deciding?.meeting.uuid, session_id, reason });
    this.setState({ deciding: null });
    say(t('inbox.saved'));
    this.refresher.now();
    document.dispatchEvent(new Event('attention'));
  };

  /** @param {unknown} _ @param {State} state */
  render(_, { tab, session, meetings, more, deciding, error, health }) {
    return html`
      <div class="head"><h1 tabindex="-1">${t('inbox.title')}</h1>
        <${Freshness} health=${health} onRefresh=${this.refresher.now} /></div>
      <p class="about muted">${t('inbox.about')}</p>
      <div class="above">
        <div class="tabs" role="group" aria-label=${t('inbox.states')}>
          ${STATES.map((name) => html`<button type="button" onClick=${() => this.go(name)}
            aria-pressed=${!session && tab === name ? 'true' : 'false'}>${t(`inbox.${name}`)}</button>`)}
        </div>
      </div>
      ${session && html`<p class="of"><a href=${`/admin/${query({ period: 'all', session })}`}>
        ${t('inbox.of_session', { n: session })}</a></p>`}
      ${error && !meetings ? html`<${Notice} text=${explain(error)} onRetry=${this.refresher.now} />`
        : !meetings ? html`<${Shape} />`
        : !meetings.length ? html`<${Empty} title=${t('inbox.none')} text=${t('inbox.none_text')} />`
        : html`<ul class="items meetings">${meetings.map((meeting) => html`<${Item} key=${meeting.uuid}
            meeting=${meeting} onWish=${(/** @type {Wish} */ wish) => this.setState({ deciding: { meeting, wish } })} />`)}
          </ul>`}
      ${more && html`<p class="muted">${t('attention.newest', { n: LIMIT })}</p>`}
      ${deciding && html`<${MeetingDialog} ...${deciding} onSave=${this.decide}
        onClose=${() => this.setState({ deciding: null })} />`}
    `;
  }
}

/** What can be wanted of a meeting in each state; the first is the usual. @type {Record<string, Wish[]>} */
const WISHES = { waiting: ['assign', 'dismiss'], dismissed: ['assign'], assigned: ['move', 'take_back'] };

/** @param {{meeting: Meeting, onWish: (wish: Wish) => void}} props */
const Item = ({ meeting, onWish }) => {
  const { began_at: began, ended_at: ended, teacher, meeting_id: id, people, session } = meeting;

  return html`
    <li>
      ${began ? html`<time datetime=${began} title=${full(began)}>${`${dayTime(began)} – ${ended ? time(ended) : '…'}`}</time>` : html`<span class="none">–</span>`}
      <div>
        <p><strong>${teacher ? html`<${Name} text=${teacher.name} />` : t('inbox.host_unknown')}</strong></p>
        <p class="muted">${id && html`<bdi dir="ltr">${spaced(id)}</bdi> · `}${t('inbox.people', { n: people })}
          ${!ended && ` · ${t('inbox.not_ended')}`}</p>
        ${session && html`<p class="whose"><a href=${`/admin/${query({ period: 'all', session: session.id })}`}>
          <${Name} text=${session.student_name} /></a> <${Badge} status=${session.session_status} /></p>`}
        ${meeting.state !== 'waiting' && html`<p class="muted">${t(`inbox.by_${meeting.decided_by}`)}
          ${meeting.reason && html` <bdi class="reason">${meeting.reason}</bdi>`}</p>`}
      </div>
      <div class="acts">${(WISHES[meeting.state] ?? []).map((wish) => html`
        <button type="button" class="small" onClick=${() => onWish(wish)}>${word('inbox', wish)}</button>`)}</div>
    </li>
  `;
};

/** As Zoom shows it: 812 3456 7890. @param {number} id */
const spaced = (id) => String(id).replace(/^(\d{3})(\d{3,4})(\d{4})$/, '$1 $2 $3');

/** The shape of what comes. */
const Shape = () => html`<div class="groups skeleton"
  aria-busy="true">${[1, 2, 3, 4].map(() => html`<i></i>`)}</div>`;

const Wait = () => html`
  <div class="head"><h1>${t('inbox.title')}</h1><${Freshness} health=${UNTRIED} onRefresh=${() => {}} /></div>
  <p class="about muted">${t('inbox.about')}</p>
  <div class="above"></div>
  <${Shape} />
`;

start('admin', 'attention', InboxPage, Wait);
