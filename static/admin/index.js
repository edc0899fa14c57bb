// The sessions: what an admin keeps open all day.

import { Component, Empty, Icon, Notice, createRef, html, later, whenIdle } from '../lib/ui.js';
import { Problem, api, explain, query } from '../lib/api.js';
import { minutes, number, t } from '../lib/i18n.js';
import { Freshness, Refresher, UNTRIED, downloads, start } from '../lib/shell.js';
import { Filters } from './filters.js';
import { Table, TableSkeleton, merge } from './table.js';
import { addressOf, filterOf, isBackwards, readView } from './view.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').SessionList} SessionList */
/** @typedef {import('../types').Totals} Totals */
/** @typedef {import('./view.js').View} View */

/**
 * @typedef {object} State
 * @property {View} view
 * @property {SessionList | null} list the newest answer
 * @property {Session[]} rows what is shown of it
 * @property {Set<number>} gone
 * @property {number} fresh new sessions that wait for the pointer to leave
 * @property {{today: Totals, running: number} | null} cards
 * @property {boolean} loading another view was asked for
 * @property {Problem | null} refused
 * @property {import('../lib/shell.js').Health} health
 * @property {import('./filters.js').People} people
 * @property {boolean} timeout
 */

const SESSIONS = '/api/admin/teacher-sessions';
/** @type {Set<number>} */
const NONE = new Set();

const SessionPanel = later('/lib/panel.js', 'SessionPanel');
const TimeoutDialog = later('/admin/timeout.js', 'TimeoutDialog');

/** @typedef {{me: import('../types').Me | null, first?: SessionList | null}} PageProps */

/** @extends {Component<PageProps, State>} */
class SessionsPage extends Component {
  /** @type {State} */
  state = {
    view: readView(),
    list: null,
    rows: [],
    gone: NONE,
    fresh: 0,
    cards: null,
    loading: true,
    refused: null,
    health: UNTRIED,
    people: { teachers: [], students: [] },
    timeout: false,
  };

  /** The rows at the plain address, which boot.js has asked for. @returns {Promise<SessionList | null>} */
  static async first() {
    return location.search ? null : api('GET', SESSIONS + query(filterOf({})), undefined, { raw401: true });
  }

  /** Without rows it asks before it draws: an answer takes longer than a page. @param {PageProps} props */
  constructor(props) {
    super(props);
    const { me, first } = props;

    if (first) Object.assign(this.state, { list: first, rows: first.sessions, loading: false });
    else if (me) this.begin();
  }

  componentDidMount() {
    addEventListener('popstate', () => this.setState({ view: readView() }, this.reload));
    if (this.props.first) setTimeout(() => this.begin());
  }

  /** @param {PageProps} before */
  componentDidUpdate({ me }) {
    const { first } = this.props;

    if (me || !this.props.me) return;
    if (first && !this.begun) this.take(first, null); // else another view was asked for meanwhile
    this.begin();
  }

  /** Once it is known who is there, and in which zone. */
  async begin() {
    await this.refresher.start();
    // The names to choose from are long lists: they come last, on a narrow screen when asked for.
    const { teacher_id, student_id } = this.state.view;
    if (teacher_id || student_id || matchMedia('(min-width: 1000px)').matches) whenIdle(this.loadPeople);
  }

  refresher = new Refresher((poll) => this.load(poll), (health) => this.setState({ health }));
  area = createRef();
  asked = new AbortController();
  begun = false;
  over = false;

  /** @param {boolean} poll */
  async load(poll) {
    const { view } = this.state;
    const none = isBackwards(view);
    // What came with the page need not be asked for again, once.
    const first = this.begun || Object.keys(view).length ? null : this.props.first;

    this.begun = true;
    this.asked.abort();
    this.asked = new AbortController();
    const options = { poll, signal: this.asked.signal };
    /** @param {Record<string, any>} params @returns {Promise<SessionList>} */
    const ask = (params) => api('GET', SESSIONS + query(params), undefined, options);

    try {
      const [list, day, running] = await Promise.all([
        none ? null : first ?? ask({ ...filterOf(view), limit: view.limit, cursor: view.cursor }),
        ask({ days: 1, limit: 1 }),
        ask({ status: 'active', limit: 1 }),
      ]);
      const cards = { today: day.totals, running: running.totals.active };
      if (list) this.take(list, cards);
      else this.setState({ cards, list, rows: [], gone: NONE, fresh: 0, loading: false });
    } catch (error) {
      if (error instanceof Problem && !error.away && error.status < 500)
        this.setState({ refused: error, loading: false });
      throw error;
    }
  }

  /**
   * Shows an answer; rows neither come nor go under the pointer.
   * @param {SessionList} list
   * @param {State['cards']} cards
   */
  take(list, cards) {
    const { rows, loading } = this.state;
    const hold = !loading && rows.length > 0 && this.handsOn();
    const fresh = merge(rows, list.sessions);

    list.sessions = fresh;
    if (!hold)
      return this.setState({ list, cards, rows: fresh, gone: NONE, fresh: 0, loading: false, refused: null });
    const known = new Set(rows.map(({ id }) => id));
    const byId = new Map(fresh.map((session) => [session.id, session]));
    const last = fresh[fresh.length - 1]?.sent_at ?? '';
    // Rows that new ones pushed to the next page are still part of the view.
    const left = rows.filter(({ id, sent_at }) => !byId.has(id) && (sent_at > last || !list.next_cursor));
    const shown = rows.map((row) => byId.get(row.id) ?? row);

    this.setState({
      list,
      cards,
      rows: shown.every((row, i) => row === rows[i]) ? rows : shown,
      gone: left.length ? new Set(left.map(({ id }) => id)) : NONE,
      fresh: fresh.filter(({ id }) => !known.has(id)).length,
      refused: null,
    });
  }

  /** Is somebody pointing at, reading or walking through the rows? */
  handsOn() {
    const area = /** @type {HTMLElement | null} */ (this.area.current);
    const selection = getSelection();

    if (!area) return false;
    return (
      this.over ||
      area.contains(document.activeElement) ||
      (!!selection && !selection.isCollapsed && area.contains(selection.anchorNode)) ||
      area.getBoundingClientRect().top < 0
    );
  }

  /** What waited may come in. */
  settle = () => {
    const { list } = this.state;
    if (list) this.setState({ rows: list.sessions, gone: NONE, fresh: 0 });
  };

  leave = () => {
    this.over = false;
    if ((this.state.fresh || this.state.gone.size) && !this.handsOn()) this.settle();
  };

  reload = () => {
    this.setState({ loading: true, refused: null }, () => this.refresher.now());
  };

  /** Another filter: a new address, from its first page. @param {View} change @param {boolean} [quietly] */
  filter(change, quietly = false) {
    const { cursor: _, ...rest } = this.state.view;
    this.go({ ...rest, ...change }, {}, quietly);
  }

  /** @param {View} view @param {object} state @param {boolean} [quietly] */
  go(view, state, quietly = false) {
    const kept = Object.fromEntries(Object.entries(view).filter(([, value]) => value));

    history[quietly ? 'replaceState' : 'pushState'](state, '', addressOf(kept));
    this.setState({ view: kept }, this.reload);
  }

  /** @param {Session | null} session */
  open(session) {
    const { session: _, ...rest } = this.state.view;
    /** @type {View} */
    const view = session ? { ...rest, session: String(session.id) } : rest;

    history.replaceState(history.state, '', addressOf(view));
    this.setState({ view });
    if (!session) this.returnFocus();
  }

  /** @param {Session} session @param {Event} event */
  openRow = (session, event) => {
    event.preventDefault();
    // The panel says no while something is typed.
    if (document.dispatchEvent(new Event('leave', { cancelable: true }))) this.open(session);
  };

  returnFocus() {
    const row = /** @type {HTMLElement | null} */ (document.querySelector('tr.selected a'));
    setTimeout(() => row?.focus({ preventScroll: true }));
  }

  loadPeople = async () => {
    if (this.state.people.teachers.length) return;
    try {
      const [{ teachers }, { students }] = await Promise.all([
        api('GET', '/api/admin/teachers', undefined, { poll: true, raw401: true }),
        api('GET', '/api/admin/students', undefined, { poll: true, raw401: true }),
      ]);
      this.setState({ people: { teachers, students } });
    } catch {
      // The lists of names only help to filter; the table says what is wrong.
    }
  };

  exportCsv = downloads((error) => this.setState({ health: { ...this.state.health, error } }));

  /** @param {Session | null} session */
  changed = (session) => {
    if (session)
      this.setState({ rows: this.state.rows.map((row) => (row.id === session.id ? { ...row, ...session } : row)) });
    this.refresher.now();
    document.dispatchEvent(new Event('attention'));
  };

  /** @param {{me: import('../types').Me | null}} props @param {State} state */
  render({ me }, state) {
    const { view, list, rows, loading, refused, timeout } = state;
    const selected = Number(view.session) || null;
    const none = refused || isBackwards(view);

    return html`
      <${Head} view=${view} none=${none} onExport=${this.exportCsv} onTimeout=${() => this.setState({ timeout: true })} />
      <${Cards} cards=${state.cards} />
      <${Filters} view=${view} people=${state.people} onOpen=${this.loadPeople}
        onChange=${(/** @type {View} */ v, /** @type {boolean} */ q) => this.filter(v, q)} />
      <div class="above">
        ${!none && html`<${Summary} list=${loading ? null : list} />`}
        ${!none && !loading && state.fresh > 0 && html`<button type="button" class="small pill"
          onClick=${this.settle}>${t('sessions.fresh', { n: state.fresh })}</button>`}
        <${Freshness} health=${state.health} onRefresh=${this.refresher.now} />
      </div>
      <div class="rows" ref=${this.area}
        onPointerEnter=${(/** @type {PointerEvent} */ e) => { this.over = e.pointerType === 'mouse'; }}
        onPointerLeave=${this.leave} onFocusOut=${() => setTimeout(this.leave)}>
        ${none ? html`${refused && html`<${Notice} text=${explain(refused)} />`}
          <p><a href="/admin/">${t('filter.clear')}</a></p>`
          : !list || (loading && !rows.length) ? html`<${TableSkeleton} />`
          : rows.length === 0 ? html`<${NoRows} view=${view}
            onAll=${() => this.filter({ period: 'all', from: '', to: '' })} />`
          : html`<${Table} rows=${rows} selected=${selected} gone=${state.gone} busy=${loading}
            view=${addressOf({ ...view, session: '' })} onOpen=${this.openRow} />`}
      </div>
      ${list && !none && html`<${Pager} view=${view} list=${list} busy=${loading}
        onGo=${(/** @type {View} */ v, /** @type {object} */ s) => this.turn(v, s)}
        onLimit=${(/** @type {string} */ limit) => this.filter({ limit })} />`}
      ${me && selected && html`<${SessionPanel} id=${selected} asOf=${list}
        session=${rows.find(({ id }) => id === selected && !state.gone.has(id))}
        onClose=${() => this.open(null)} onChange=${this.changed} />`}
      ${timeout && html`<${TimeoutDialog} onClose=${() => this.setState({ timeout: false })}
        onDone=${this.reload} />`}
    `;
  }

  /** @param {View} view @param {object} state */
  turn(view, state) {
    this.go(view, state);
    this.area.current?.scrollIntoView({ block: 'nearest' });
  }
}

/** @param {{view: View, none: any, onExport: (event: MouseEvent) => void, onTimeout: () => void}} props */
const Head = ({ view, none, onExport, onTimeout }) => html`
  <div class="head">
    <h1>${t('nav.sessions')}</h1>
    <div class="tools">
      ${none
        ? html`<button type="button" disabled><${Icon} name="download" /> ${t('sessions.export')}</button>`
        : html`<a class="button" href=${SESSIONS + query({ ...filterOf(view), format: 'csv' })} download
          onClick=${onExport}><${Icon} name="download" /> ${t('sessions.export')}</a>`}
      <button type="button" onClick=${onTimeout}><${Icon} name="clock" /> ${t('timeout.title')}</button>
    </div>
  </div>
`;

/** @param {{cards: State['cards']}} props */
const Cards = ({ cards }) => {
  const today = cards?.today;
  /** @param {Totals} totals */
  const all = ({ minutes: _, ...counts }) => Object.values(counts).reduce((sum, n) => sum + n, 0);
  const list = [
    { key: 'running', value: cards && number(cards.running), href: { period: 'all', status: 'active' } },
    { key: 'today', value: today && number(all(today)), href: { period: 'today' } },
    { key: 'minutes', value: today && number(today.minutes), href: { period: 'today' } },
    { key: 'timeouts', value: today && number(today.timeout), href: { period: 'today', status: 'timeout' } },
    { key: 'unopened', value: today && number(today.sent), href: { period: 'today', status: 'sent' } },
  ];

  return html`
    <ul class="cards" aria-label=${t('cards.label')}>
      ${list.map(({ key, value, href }) => html`
        <li><a class=${`card ${key}`} href=${addressOf(/** @type {View} */ (href))}>
          <span>${t(/** @type {any} */ (`cards.${key}`))}</span>
          <strong>${value ?? html`<i class="skeleton"></i>`}</strong>
        </a></li>`)}
    </ul>
  `;
};

/** @param {{list: SessionList | null}} props */
const Summary = ({ list }) => {
  if (!list) return html`<p class="summary"><i class="skeleton"></i></p>`;
  const { minutes: total, ...counts } = list.totals;
  const n = Object.values(counts).reduce((sum, count) => sum + count, 0);

  return html`<p class="summary"><strong>${t('sessions.count', { n })}</strong> · ${minutes(total)}</p>`;
};

/** @param {{view: View, onAll: () => void}} props */
const NoRows = ({ view, onAll }) => html`
  <${Empty} title=${t(Object.keys(view).length ? 'sessions.none_found' : 'sessions.none')}
    text=${t(Object.keys(view).length ? 'sessions.none_found_text' : 'sessions.none_text')}>
    ${view.period !== 'all' && html`<button type="button" onClick=${onAll}>${t('sessions.show_all')}</button>`}
  <//>
`;

const LIMITS = [50, 100, 200];

/**
 * While it is busy the list is of another view, and so is where its next page begins.
 * @param {{
 *   view: View,
 *   list: SessionList,
 *   busy: boolean,
 *   onGo: (view: View, state: object) => void,
 *   onLimit: (limit: string) => void,
 * }} props
 */
const Pager = ({ view, list, busy, onGo, onLimit }) => {
  /** @type {string[]} */
  const before = history.state?.before ?? [];
  const back = () => onGo({ ...view, cursor: before[before.length - 1] ?? '' }, { before: before.slice(0, -1) });
  const forth = () => !busy && onGo({ ...view, cursor: list.next_cursor ?? '' }, { before: [...before, view.cursor ?? ''] });

  return html`
    <nav class="pager" aria-label=${t('pager.label')}>
      <button type="button" disabled=${!view.cursor} onClick=${back}>
        <${Icon} name="back" /> ${t(before.length || !view.cursor ? 'pager.newer' : 'pager.first')}</button>
      <span class="muted">${!view.cursor || before.length ? t('pager.page', { n: before.length + 1 }) : ''}</span>
      <button type="button" disabled=${!list.next_cursor}
        onClick=${forth}>${t('pager.older')} <${Icon} name="forward" /></button>
      <label class="pick limit"><span>${t('pager.limit')}</span>
        <select onChange=${(/** @type {any} */ e) => onLimit(e.target.value === '50' ? '' : e.target.value)}>
          ${LIMITS.map((n) => html`<option value=${n}
            selected=${String(n) === (view.limit ?? '50')}>${number(n)}</option>`)}
        </select>
      </label>
    </nav>
  `;
};

start('admin', 'sessions', SessionsPage);
