// The table of sessions: one row a session, one link a row.

import { Component, Name, html } from '../lib/ui.js';
import { t, word } from '../lib/i18n.js';
import { dayTime } from '../lib/format.js';
import { Badge, Duration, Marks, When, endedBy } from '../lib/session.js';

/** @typedef {import('../types').Session} Session */

const COLUMNS = /** @type {const} */ ([
  'teacher', 'student', 'package', 'sent', 'start', 'end', 'duration', 'status', 'ended_by',
]);

const Head = () => html`
  <thead><tr>${COLUMNS.map((name) => html`<th scope="col"
    class=${`c-${name}`}>${t(`col.${name}`)}</th>`)}</tr></thead>
`;

/**
 * @typedef {object} TableProps
 * @property {Session[]} rows the same array as long as nothing in it changed
 * @property {number | null} selected
 * @property {Set<number>} gone shown until the pointer leaves, but no longer part of the view
 * @property {string} view whose addresses the rows carry
 * @property {(session: Session) => string} address
 * @property {(session: Session, event: Event) => void} onOpen
 * @property {boolean} busy
 */

/** Rows that a slow phone draws without holding a finger up. */
const AT_ONCE = 12;

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
  render({ rows, selected, gone, address, onOpen, busy }, { drawn }) {
    return html`
      <table class="sessions" aria-busy=${busy || drawn < rows.length ? 'true' : undefined} onKeyDown=${arrows}>
        <caption class="sr">${t('sessions.caption')}</caption>
        <${Head} />
        <tbody class=${busy ? 'stale' : ''}>
          ${rows.slice(0, drawn).map((session) => html`
            <${Row} key=${session.id} session=${session} selected=${session.id === selected}
              gone=${gone.has(session.id)}
              href=${address(session)} onOpen=${onOpen} />`)}
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

/** @param {Session} session */
const about = ({ student, teacher, clicked_at, sent_at }) =>
  t('sessions.open', { student: student.name, teacher: teacher.name, time: dayTime(clicked_at ?? sent_at) });

/** A row that did not change is not drawn again. @extends {Component<RowProps>} */
class Row extends Component {
  /** @param {MouseEvent} event */
  open = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (!getSelection()?.isCollapsed) return;
    this.props.onOpen(this.props.session, event);
  };

  /** @param {RowProps} next */
  shouldComponentUpdate(next) {
    const keys = /** @type {const} */ (['session', 'selected', 'gone', 'href']);
    return keys.some((key) => this.props[key] !== next[key]);
  }

  /** @param {RowProps} props */
  render({ session: s, selected, gone, href }) {
    return html`
      <tr class=${[s.session_status, selected && 'selected', gone && 'gone'].filter(Boolean).join(' ')}
        onClick=${this.open}>
        <td class="c-teacher"><${Name} text=${s.teacher.name} /></td>
        <th scope="row" class="c-student">
          <a href=${href} aria-label=${about(s)}>
            <${Name} text=${s.student.name} />
          </a>
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
  <table class="sessions skeleton" aria-busy="true">
    <${Head} />
    <tbody>${Array.from({ length: rows }, () => html`<tr>${COLUMNS.map((name) => html`<td class=${`c-${name}`}>
      <i></i></td>`)}</tr>`)}</tbody>
  </table>
`;
