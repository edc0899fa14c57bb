// The table of sessions: one row a session, one link a row.

import { Component, Name, Pure, html } from '../lib/ui.js';
import { dayTime, t, word } from '../lib/i18n.js';
import { Badge, Duration, Marks, When, endedBy } from '../lib/session.js';

/** @typedef {import('../types').Session} Session */

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
export class Table extends Component {
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
export const TableSkeleton = ({ rows = 12 }) => html`
  <table class="sessions stacked skeleton" aria-busy="true">
    <${Heads} />
    <tbody>${Array.from({ length: rows }, () => html`<tr>${COLUMNS.map((name) => html`<td class=${`c-${name}`}>
      <i></i></td>`)}</tr>`)}</tbody>
  </table>
`;

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
export function merge(shown, fresh) {
  const before = new Map(shown.map((row) => [row.id, row]));
  const merged = fresh.map((session) => {
    const old = before.get(session.id);
    return old && textOf(old) === textOf(session) ? old : session;
  });

  return merged.length === shown.length && merged.every((row, i) => row === shown[i]) ? shown : merged;
}
