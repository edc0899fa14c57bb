// What needs an admin's eye, kind by kind, with the way to settle it.

import { Component, Empty, Icon, Name, Notice, html, later } from '../lib/ui.js';
import { api, explain, query } from '../lib/api.js';
import { dayTime, full, minutes, number, t, word } from '../lib/i18n.js';
import { advice } from '../lib/session.js';
import { Freshness, Refresher, UNTRIED, start } from '../lib/shell.js';

const SessionPanel = later('/lib/panel.js', 'SessionPanel');

/** In the order of haste. */
const KINDS = [
  'running_over', 'undelivered', 'unopened', 'late_click', 'orphan_click', 'event_without_session',
  'estimated', 'no_attendance', 'no_rate',
];
const FIRST = 10;

/** @typedef {import('../types').Named} Named */
/**
 * What the detail is made of; which there are goes by the kind.
 * @typedef {{
 *   minutes: number,
 *   of: number,
 *   outcome: string | null,
 *   meeting_id: number | null,
 *   package: string | null,
 * }} ItemFacts
 */
/**
 * @typedef {{
 *   kind: string,
 *   session_id: number | null,
 *   student: Named | null,
 *   teacher: Named | null,
 *   at: string,
 *   detail: string,
 *   facts: ItemFacts,
 *   clicked_at?: string | null,
 * }} Item
 */
/**
 * @typedef {object} State
 * @property {Item[] | null} items
 * @property {Record<string, number>} counts
 * @property {string} kind only this one, or all
 * @property {number | null} selected
 * @property {Item | null} late the opening that the panel may reopen from
 * @property {unknown} error of the first load
 * @property {import('../lib/shell.js').Health} health
 */

/** @extends {Component<{}, State>} */
class AttentionPage extends Component {
  /** @type {State} */
  state = {
    ...this.address(), items: null, counts: {}, late: null, error: null,
    health: UNTRIED,
  };

  refresher = new Refresher((poll) => this.load(poll), (health) => this.setState({ health }));

  componentDidMount() {
    addEventListener('popstate', () => this.setState(this.address()));
    this.refresher.start();
  }

  address() {
    const given = new URLSearchParams(location.search);
    return { kind: given.get('kind') ?? '', selected: Number(given.get('session')) || null };
  }

  /** @param {{kind?: string, selected?: number | null}} change @param {Item | null} [late] */
  go(change, late = null) {
    const { kind, selected } = { ...this.state, ...change };
    history.replaceState(null, '', `/admin/attention${query({ kind, session: selected })}`);
    this.setState({ kind, selected, late });
  }

  /** A class may stand in several kinds. @type {HTMLElement | null} */
  opener = null;

  /** The panel says no while something is typed. @param {Item} item @param {HTMLElement} opener */
  open = (item, opener) => {
    if (!document.dispatchEvent(new Event('leave', { cancelable: true }))) return;
    this.opener = opener;
    this.go({ selected: item.session_id }, item.kind === 'late_click' ? item : null);
  };

  /** @param {boolean} poll */
  async load(poll) {
    const { turn } = this.refresher;

    try {
      const { items, counts } = await api('GET', '/api/admin/attention', undefined, { poll });
      if (turn === this.refresher.turn) this.setState({ items, counts, error: null });
    } catch (error) {
      if (turn === this.refresher.turn && !this.state.items) this.setState({ error });
      throw error;
    }
  }

  changed = () => {
    this.refresher.now();
    document.dispatchEvent(new Event('attention'));
  };

  close = () => {
    const { selected } = this.state;
    this.go({ selected: null });
    setTimeout(() => {
      const link = this.opener?.isConnected ? this.opener : document.querySelector(`[data-session="${selected}"]`);
      if (link instanceof HTMLElement) link.focus({ preventScroll: true });
    });
  };

  /** @param {unknown} _ @param {State} state */
  render(_, { items, counts, selected, late, error, health, ...state }) {
    const kind = counts[state.kind] ? state.kind : ''; // its last item may have been settled
    const others = Object.keys(counts).filter((name) => !KINDS.includes(name));
    const kinds = [...KINDS, ...others].filter((name) => counts[name]);
    const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
    /** @param {string} name @param {string} label @param {number} n */
    const tab = (name, label, n) => html`
      <button type="button" aria-pressed=${kind === name ? 'true' : 'false'}
        onClick=${() => this.go({ kind: name })}>${label} <span class="count">${number(n)}</span></button>`;

    return html`
      <div class="head"><h1>${t('nav.attention')}</h1>
        <${Freshness} health=${health} onRefresh=${this.refresher.now} /></div>
      <div class="above">
        <div class="tabs" role="group" aria-label=${t('attention.kinds')}>
          ${total > 0 && tab('', t('filter.any'), total)}
          ${kinds.map((name) => tab(name, word('attention', name), counts[name]))}
        </div>
      </div>
      ${error && !items ? html`<${Notice} text=${explain(error)} onRetry=${this.refresher.now} />`
        : !items ? html`<${Groups} />`
        : !items.length ? html`<${Empty} title=${t('attention.none')} text=${t('attention.none_text')} />`
        : html`<div class="groups">${kinds.filter((name) => !kind || kind === name).map((name) => html`
            <${Group} key=${name} kind=${name} count=${counts[name]}
              items=${items.filter((item) => item.kind === name)}
              selected=${selected} onOpen=${this.open} />`)}</div>`}
      ${selected && html`<${SessionPanel} key=${selected} id=${selected} asOf=${items} reopenFrom=${late?.clicked_at}
        onClose=${this.close} onChange=${this.changed} />`}
    `;
  }
}

/** The shape of what comes. */
const Groups = () => html`<div class="groups skeleton"
  aria-busy="true">${[1, 2, 3, 4, 5, 6].map(() => html`<i></i>`)}</div>`;

/**
 * @typedef {{
 *   kind: string,
 *   count: number,
 *   items: Item[],
 *   selected: number | null,
 *   onOpen: (item: Item, opener: HTMLElement) => void,
 * }} GroupProps
 */

/** @extends {Component<GroupProps, {all: boolean}>} */
class Group extends Component {
  state = { all: false };

  /** @param {GroupProps} props @param {{all: boolean}} state */
  render({ kind, count, items, selected, onOpen }, { all }) {
    const shown = all ? items : items.slice(0, FIRST);

    return html`
      <section aria-labelledby=${`kind-${kind}`}>
        <h2 id=${`kind-${kind}`}>${word('attention', kind)} <span class="muted">${number(count)}</span></h2>
        <p class="muted">${word('attention_do', kind)}</p>
        <ul class="items">
          ${shown.map((item) => html`
            <li key=${item.session_id ?? `${item.at} ${item.detail}`}
              class=${item.session_id && item.session_id === selected ? 'selected' : ''}>
              <time datetime=${item.at} title=${full(item.at)}>${dayTime(item.at)}</time>
              <div>
                ${item.student && html`<strong><${Name} text=${item.student.name} /></strong>`}
                ${item.teacher && html` <span class="muted"><${Name} text=${item.teacher.name} /></span>`}
                <p class="muted" dir="auto">${why(item)}</p>
              </div>
              <${Way} item=${item} onOpen=${onOpen} />
            </li>`)}
        </ul>
        ${items.length > shown.length && html`<button type="button" class="link"
          onClick=${() => this.setState({ all: true })}>${t('attention.all', { n: items.length })}</button>`}
        ${count > items.length && html`<p class="muted">${t('attention.newest', { n: items.length })}</p>`}
      </section>
    `;
  }
}

/** What only Telegram or a newer server can say stays in their words. @param {Item} item */
function why({ kind, detail, facts, session_id: id }) {
  switch (kind) {
    case 'unopened': case 'no_attendance': case 'late_click': case 'orphan_click':
      return t(`attention_why.${kind}`);
    case 'running_over':
      return t('attention_why.running_over', { minutes: minutes(facts.minutes), of: minutes(facts.of) });
    case 'estimated':
      return t('attention_why.estimated', { minutes: minutes(facts.minutes) });
    case 'event_without_session':
      return facts.meeting_id ? t('attention_why.meeting', { id: String(facts.meeting_id) })
        : t('attention_why.a_meeting');
    case 'no_rate':
      if (!facts.package) return t('attention_why.no_package');
      return t(id ? 'attention_why.no_rate' : 'attention_why.package', { name: facts.package });
    case 'undelivered':
      return advice({ delivery_outcome: facts.outcome, delivery_detail: detail });
    default:
      return detail;
  }
}

/** Where it is settled. @param {{item: Item, onOpen: GroupProps['onOpen']}} props */
const Way = ({ item, onOpen }) => {
  const { kind, session_id: id } = item;
  /** @param {MouseEvent} event */
  const open = (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onOpen(item, /** @type {HTMLElement} */ (event.currentTarget));
  };

  if (id)
    return html`<a class="button small" href=${`/admin/attention${query({ session: id })}`} data-session=${id}
      onClick=${open}>
      ${t(kind === 'late_click' ? 'do.reopen' : 'attention.open')}</a>`;
  if (kind === 'event_without_session') return html`<a class="button small"
    href="/admin/zoom-inbox">${t('inbox.title')} <${Icon} name="forward" /></a>`;
  if (kind === 'no_rate') return html`<a class="button small"
    href="/admin/packages">${t('nav.packages')} <${Icon} name="forward" /></a>`;
  return null;
};

const Wait = () => html`
  <div class="head"><h1>${t('nav.attention')}</h1><${Freshness} health=${UNTRIED} onRefresh=${() => {}} /></div>
  <div class="above"></div>
  <${Groups} />
`;

start('admin', 'attention', AttentionPage, Wait);
