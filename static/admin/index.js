// The sessions: what an admin keeps open all day.

import { Component, Days, Empty, Icon, Name, Notice, Pure, createRef, html, later, whenIdle } from '../lib/ui.js';
import { Problem, api, explain, now, query } from '../lib/api.js';
import { addDays, backwards, dayTime, isoDay, lastMonth, minutes, number, t, word } from '../lib/i18n.js';
import { Badge, Duration, Marks, STATUSES, When, endedBy } from '../lib/session.js';
import { Freshness, Refresher, UNTRIED, downloads, start } from '../lib/shell.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').SessionList} SessionList */
/** @typedef {import('../types').Totals} Totals */
/** @typedef {import('../types').Named} Named */

/* What is shown, kept in the address bar: a view can be bookmarked and shared. */

const PERIODS = /** @type {const} */ ([
  'today', 'yesterday', 'week', 'month', 'last_month', 'all', 'custom',
]);
const LIMITS = [50, 100, 200];
const KEYS = [
  'period', 'from', 'to', 'status', 'teacher_id', 'student_id', 'package_id', 'q', 'limit', 'cursor', 'session',
];

/** @typedef {Record<string, string>} View only what differs from the usual */

/** @returns {View} */
function readView() {
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
const addressOf = (view) => `/admin/${query(view)}`;

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
function filterOf(view) {
  const { status, teacher_id, student_id, package_id, q } = view;
  return { ...daysOf(view), status, teacher_id, student_id, package_id, q };
}

/** No answer is asked for. @param {View} view */
const isBackwards = (view) => backwards(/** @type {any} */ (daysOf(view)));

/* The page. */

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
 * @property {Record<'teachers' | 'students', Named[]>} people
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
    if (first) this.take(first, null);
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

/** @type {WeakMap<Session, string>} */
const texts = new WeakMap();

/** A session as text, to tell whether two say the same. @param {Session} session */
function textOf(session) {
  const text = texts.get(session) ?? JSON.stringify(session);
  texts.set(session, text);
  return text;
}

/**
 * The new rows, but the very objects that are shown already where nothing changed.
 * @param {Session[]} shown
 * @param {Session[]} fresh
 */
function merge(shown, fresh) {
  const before = new Map(shown.map((row) => [row.id, row]));
  const merged = fresh.map((session) => {
    const old = before.get(session.id);
    return old && textOf(old) === textOf(session) ? old : session;
  });

  return merged.length === shown.length && merged.every((row, i) => row === shown[i]) ? shown : merged;
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

/**
 * @typedef {{
 *   view: View,
 *   people: State['people'],
 *   onOpen: () => void,
 *   onChange: (change: View, quietly?: boolean) => void,
 * }} FilterProps
 */

/** @extends {Component<FilterProps, {open: boolean}>} */
class Filters extends Component {
  /** On a narrow screen the choices wait behind a button. */
  state = { open: false };

  /** @param {FilterProps} next @param {{open: boolean}} state */
  shouldComponentUpdate(next, state) {
    return next.view !== this.props.view || next.people !== this.props.people || state.open !== this.state.open;
  }

  /** @param {string} name @param {any} choices */
  select(name, choices) {
    const { view, onChange } = this.props;

    return html`
      <label class=${`pick ${name}`}><span>${t(/** @type {any} */ (`filter.${name}`))}</span>
        <select name=${name} onChange=${(/** @type {any} */ e) => onChange({ [name]: e.target.value })}>
          <option value="" selected=${!view[name]}>${t('filter.any')}</option>
          ${choices}
        </select>
      </label>`;
  }

  /** @param {'teacher_id' | 'student_id'} name @param {Named[]} named */
  person(name, named) {
    const wanted = this.props.view[name];
    const missing = wanted && !named.some(({ id }) => String(id) === wanted);

    return this.select(name, [
      missing && html`<option value=${wanted}
        selected>${named.length ? t('filter.unknown', { n: wanted }) : '…'}</option>`,
      ...named.map(({ id, name: label }) => html`<option key=${id} value=${id}
        selected=${String(id) === wanted}>${label}</option>`),
    ]);
  }

  /** @param {any} event */
  setPeriod = ({ target: { value } }) => {
    const { view, onChange } = this.props;
    const today = isoDay(now());

    if (value === 'custom') onChange({ period: value, from: view.from || today, to: view.to || today });
    else onChange({ period: value === 'week' ? '' : value, from: '', to: '' });
  };

  /** @param {FilterProps} props @param {{open: boolean}} state */
  render({ view, people, onOpen, onChange }, { open: wanted }) {
    const open = wanted || isBackwards(view); // what is wrong is in sight
    const period = view.period ?? 'week';
    const set = Object.keys(view).filter((key) => !['session', 'limit', 'cursor', 'to'].includes(key));
    const hidden = set.filter((key) => key !== 'q').length;

    return html`
      <form class=${open ? 'filters open' : 'filters'} role="search" aria-label=${t('filter.label')}
        onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
        <div class="picks" id="picks">
          <label class="pick period"><span>${t('filter.period')}</span>
            <select name="period" onChange=${this.setPeriod}>
              ${PERIODS.map((name) => html`<option value=${name}
                selected=${name === period}>${t(`period.${name}`)}</option>`)}
            </select>
          </label>
          ${period === 'custom' && html`<${Days} from=${view.from} to=${view.to} onChange=${onChange} />`}
          ${this.select('status', STATUSES.map((name) => html`<option value=${name}
            selected=${name === view.status}>${t(`status.${name}`)}</option>`))}
          ${this.person('teacher_id', people.teachers)}
          ${this.person('student_id', people.students)}
          ${view.package_id && this.select('package_id', html`<option value=${view.package_id}
            selected>${view.package_id}</option>`)}
        </div>
        <${Search} value=${view.q ?? ''} onChange=${(/** @type {string} */ q) => onChange({ q }, true)} />
        <button type="button" class="more" aria-expanded=${open ? 'true' : 'false'} aria-controls="picks"
          onClick=${() => { onOpen(); this.setState({ open: !open }); }}>
          <${Icon} name="filter" /> ${hidden ? t('filter.more', { n: hidden }) : t('filter.button')}
        </button>
        <a class="clear" href="/admin/" hidden=${!set.length}>${t('filter.clear')}</a>
      </form>
    `;
  }
}

/**
 * Searches while you type, a breath after the last key.
 * @extends {Component<{value: string, onChange: (q: string) => void}>}
 */
class Search extends Component {
  timer = 0;
  /** @type {{current: HTMLInputElement | null}} */
  input = createRef();

  /** @param {any} event */
  type = ({ target }) => {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const q = target.value.trim();
      if (q !== this.props.value) this.props.onChange(q);
    }, 250);
  };

  /** @param {{value: string}} before */
  componentDidUpdate({ value }) {
    const input = this.input.current;
    // Back and forward change the words; a refresh never touches what is being typed.
    if (input && value !== this.props.value && document.activeElement !== input) input.value = this.props.value;
  }

  /** @param {{value: string}} props */
  render({ value }) {
    return html`
      <label class="pick search"><span>${t('filter.q')}</span>
        <input ref=${this.input} type="search" name="q" defaultValue=${value} onInput=${this.type} maxlength="100"
          autocomplete="off" placeholder=${t('filter.q_hint')} />
      </label>
    `;
  }
}

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

/* The table: one row a session, one link a row. */

const COLUMNS = /** @type {const} */ ([
  'teacher', 'student', 'package', 'sent', 'start', 'end', 'duration', 'status', 'ended_by',
]);

const Heads = () => html`
  <thead><tr>${COLUMNS.map((name) => html`<th scope="col"
    class=${`c-${name}`}>${t(`col.${name}`)}</th>`)}</tr></thead>
`;

/**
 * @typedef {object} TableProps
 * @property {Session[]} rows the same array as long as nothing in it changed
 * @property {number | null} selected
 * @property {Set<number>} gone shown until the pointer leaves, but no longer part of the view
 * @property {string} view the address that those of the rows begin with
 * @property {(session: Session, event: Event) => void} onOpen
 * @property {boolean} busy
 */

/** Rows that a slow phone draws without holding a finger up. */
const AT_ONCE = 8;

/**
 * Two hundred rows are only looked through when one of them is another; at first they come by the screenful.
 * @extends {Component<TableProps, {drawn: number}>}
 */
class Table extends Component {
  state = { drawn: AT_ONCE };

  /** @param {TableProps} next @param {{drawn: number}} state */
  shouldComponentUpdate(next, { drawn }) {
    const keys = /** @type {const} */ (['rows', 'selected', 'gone', 'view', 'busy']);
    return drawn !== this.state.drawn || keys.some((key) => this.props[key] !== next[key]);
  }

  componentDidMount() {
    this.draw();
  }

  componentDidUpdate() {
    this.draw();
  }

  componentWillUnmount() {
    clearTimeout(this.timer);
  }

  draw() {
    clearTimeout(this.timer);
    if (this.state.drawn < this.props.rows.length)
      this.timer = setTimeout(() => this.setState({ drawn: this.state.drawn + AT_ONCE }));
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;

  /** @param {TableProps} props @param {{drawn: number}} state */
  render({ rows, selected, gone, view, onOpen, busy }, { drawn }) {
    const address = view + (view.includes('?') ? '&' : '?');

    return html`
      <table class="sessions stacked" aria-busy=${busy || drawn < rows.length ? 'true' : undefined} onKeyDown=${arrows}>
        <caption class="sr">${t('sessions.caption')}</caption>
        <${Heads} />
        <tbody class=${busy ? 'stale' : ''}>
          ${rows.slice(0, drawn).map((session) => html`
            <${Row} key=${session.id} session=${session} selected=${session.id === selected}
              gone=${gone.has(session.id)}
              href=${`${address}session=${session.id}`} onOpen=${onOpen} />`)}
        </tbody>
      </table>
    `;
  }
}

/**
 * @typedef {{
 *   session: Session,
 *   selected: boolean,
 *   gone: boolean,
 *   href: string,
 *   onOpen: (session: Session, event: Event) => void,
 * }} RowProps
 */

/** @typedef {{href: string, student: string, teacher: string, at: string}} LinkProps */

/** What it says to those who hear it takes longer to word than the rest of the row. @extends {Pure<LinkProps>} */
class RowLink extends Pure {
  /** @param {LinkProps} props */
  render({ href, student, teacher, at }) {
    return html`<a href=${href} aria-label=${t('sessions.open', { student, teacher, time: dayTime(at) })}>
      <${Name} text=${student} /></a>`;
  }
}

/** @extends {Pure<RowProps>} */
class Row extends Pure {
  /** @param {MouseEvent} event */
  open = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (!getSelection()?.isCollapsed) return;
    this.props.onOpen(this.props.session, event);
  };

  /** @param {RowProps} props */
  render({ session: s, selected, gone, href }) {
    return html`
      <tr class=${[s.session_status, selected && 'selected', gone && 'gone'].filter(Boolean).join(' ')}
        onClick=${this.open}>
        <td class="c-teacher"><${Name} text=${s.teacher.name} /></td>
        <th scope="row" class="c-student">
          <${RowLink} href=${href} student=${s.student.name} teacher=${s.teacher.name}
            at=${s.clicked_at ?? s.sent_at} />
        </th>
        <td class="c-package">
          ${s.package_id ? html`<${Name} text=${s.package_id} />` : html`<span class="none">–</span>`}</td>
        <td class="c-sent" data-label=${t('col.sent')}><${When} at=${s.sent_at} /></td>
        <td class="c-start" data-label=${t('col.start')}><${When} at=${s.clicked_at} beside=${s.sent_at} /></td>
        <td class="c-end" data-label=${t('col.end')}>
          <${When} at=${s.session_ended_at} beside=${s.clicked_at} /></td>
        <td class="c-duration"><span class="num"><${Duration} session=${s} /></span> <${Marks} session=${s} /></td>
        <td class="c-status"><${Badge} status=${s.session_status} /></td>
        <td class="c-ended_by">${endedBy(s)}${s.delivery === 'failed' && s.session_status === 'sent' && html`
          <span class="bad">${word('delivery', 'failed')}</span>`}</td>
      </tr>
    `;
  }
}

/** Up and down move from row to row. @param {KeyboardEvent} event */
function arrows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const link = /** @type {HTMLElement} */ (event.target);

  if (!step || !link.matches('tbody a')) return;
  const links = [...(/** @type {HTMLElement} */ (event.currentTarget)).querySelectorAll('tbody a')];
  const next = links[links.indexOf(link) + step];
  if (next instanceof HTMLElement) {
    event.preventDefault();
    next.focus();
  }
}

/** @param {{rows?: number}} props */
const TableSkeleton = ({ rows = 12 }) => html`
  <table class="sessions stacked skeleton" aria-busy="true">
    <${Heads} />
    <tbody>${Array.from({ length: rows }, () => html`<tr>${COLUMNS.map((name) => html`<td class=${`c-${name}`}>
      <i></i></td>`)}</tr>`)}</tbody>
  </table>
`;

start('admin', 'sessions', SessionsPage);
