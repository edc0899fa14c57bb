// One student on the teacher's page: send the class, watch it run, end it, say who was there.

import { Component, Icon, Name, Notice, createRef, html, say } from '../lib/ui.js';
import { Problem, api, explain, now, onTick } from '../lib/api.js';
import { dayTime, isoDay, minutes, t, time, word } from '../lib/i18n.js';
import { Badge, Duration, Marks, Stopwatch, advice, open } from '../lib/session.js';
import { ShareDialog, copyLink } from '../lib/share.js';
import { Attendance } from './attendance.js';
import { Finish, Kept, end, holdLink, keptAt } from './ending.js';
import { linksOf, send } from './sent.js';
import { LinkForm, isAtLink } from './zoom_link.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('./sent.js').Sent} Sent */
/**
 * @typedef {object} Student
 * @property {number} id
 * @property {string} name
 * @property {string | null} package_id
 * @property {string | null} zoom_url
 * @property {boolean} telegram_linked
 * @property {boolean} may_send false: not taught any more, here for the open class alone
 * @property {Session | null} last_session
 */
/**
 * @typedef {{
 *   student: Student,
 *   meetings: boolean,
 *   away: boolean,
 *   onChange: (session: Session) => void,
 *   onStale: () => void,
 *   onTelegram: (student: Student) => void,
 * }} Props
 */
/**
 * @typedef {{
 *   busy: string,
 *   error: unknown,
 *   sent: Sent | null,
 *   typing: '' | 'send' | 'change',
 *   share: string,
 * }} State
 */

/** For so long Zoom's start link of a meeting is surely good; then the server gives another. As lib/session.c. */
const START_LIFE = 110 * 60_000;

/** Did it end on the academy's today? @param {Session | null} session */
export const endedToday = (session) =>
  !!session && ['ended', 'timeout', 'missed'].includes(session.session_status) &&
  isoDay(session.session_ended_at ?? session.clicked_at ?? session.sent_at) === isoDay(now());

/** @extends {Component<Props, State>} */
export class StudentCard extends Component {
  /** @type {State} */
  state = { busy: '', error: null, sent: null, typing: '', share: '' };

  /**
   * Runs one action of the card; what is typed stays until it worked.
   * @param {string} busy
   * @param {() => Promise<void>} fn
   */
  async act(busy, fn) {
    this.setState({ busy, error: null });
    try {
      await fn();
      this.setState({ busy: '' });
    } catch (error) {
      this.setState({ busy: '', error });
      // Somebody was faster: what can be done now is another thing.
      if (error instanceof Problem && error.status === 409) this.props.onStale();
    }
  }

  /** The session whose links have been asked for unasked, and whether that was late. */
  prepared = '';
  /** Links that were asked for in an earlier turn are older than those that are there. */
  turn = 0;

  componentDidMount() {
    this.prepare();
  }

  /** @param {Props} before */
  componentDidUpdate({ student: before }) {
    const { student } = this.props;
    const { zoom_url } = student;

    if (before === student) return;
    if (before.zoom_url === zoom_url || this.state.sent?.start_url === zoom_url) return this.prepare();
    // The link of the class may have been changed on another device.
    this.prepared = '';
    this.setState({ sent: null }, () => this.prepare());
  }

  /**
   * The start link is the class's own, and must be there before the tap: a later window is no answer to one. So
   * must the link that ends it: ending.js. What could not be had is asked for again with the next list.
   */
  prepare() {
    const { student } = this.props;
    const session = student.last_session;

    if (!session || !open(session)) return;
    const late = now() - Date.parse(session.sent_at) > START_LIFE;
    const what = `${session.id} ${late}`;
    if (this.prepared === what) return;
    this.prepared = what;
    const options = { poll: true, raw401: true };
    (late ? this.ask(options) : this.links(options)).then((sent) => holdLink(student, sent), () => (this.prepared = ''));
  }

  /** @param {string | null} zoomUrl */
  send = (zoomUrl) =>
    this.act('send', async () => {
      const sent = await send(this.props.student, zoomUrl);
      this.turn++;
      this.setState({ sent, typing: '' });
      this.props.onChange(sent.session);
    });

  /** The open class gets another link; the student's stays what it is. @param {string} zoomUrl */
  change = (zoomUrl) =>
    this.act('change', async () => {
      const { id: session_id } = /** @type {Session} */ (this.props.student.last_session);
      const sent = await api('POST', '/api/teacher/session', { session_id, action: 'zoom_url', zoom_url: zoomUrl });

      this.turn++;
      this.setState({ sent });
      this.type('');
      say(t('done.zoom_url'));
      this.props.onChange(sent.session);
    });

  /** The link's form opens, or closes and gives the keyboard back. @param {State['typing']} typing */
  type = (typing) =>
    this.setState({ typing, error: null }, () => {
      if (!typing) this.opener.current?.focus();
    });

  /** What opens the link's form. @type {{current: HTMLButtonElement | null}} */
  opener = createRef();

  /** Is the link's form there? @param {Props} props @param {State} state */
  asksLink({ student, meetings }, { typing }) {
    if (open(student.last_session)) return typing === 'change';
    return student.may_send && (typing === 'send' || (!student.zoom_url && !meetings));
  }

  /** @param {'end' | 'cancel'} action */
  finish = (action) =>
    this.act(action, async () => {
      const { student, onChange } = this.props;
      const session = /** @type {Session} */ (student.last_session);
      const { id: session_id, session_status } = session;
      // Withdrawn is for good: only what was shown here, not what runs by now.
      const answer = action === 'end' ? await end(session_id)
        : await api('POST', '/api/teacher/session', { session_id, action, session_status });

      this.setState({ typing: '' });
      if (answer) say(t(`done.${action}`));
      onChange({ ...session, ...answer?.session });
    });

  /** The links of the open session, asked for once. @param {import('../lib/api.js').Options} [options] */
  async links(options) {
    const session = /** @type {Session} */ (this.props.student.last_session);

    return this.state.sent?.session.id === session.id ? this.state.sent : this.ask(options);
  }

  /** @param {import('../lib/api.js').Options} [options] */
  async ask(options) {
    const turn = ++this.turn;
    const sent = await linksOf(/** @type {Session} */ (this.props.student.last_session), options);
    if (turn === this.turn) this.setState({ sent });
    return sent;
  }

  /** For a tap that comes before the link does: should the browser keep the window shut, the link stands there. */
  start = () =>
    this.act('start', async () => {
      window.open((await this.links()).start_url, '_blank', 'noreferrer');
    });

  copy = () =>
    this.act('copy', async () => {
      const { join_url } = await this.links();
      if (!(await copyLink(join_url))) this.setState({ share: join_url });
    });

  show = () => this.act('share', async () => this.setState({ share: (await this.links()).join_url }));

  /** @param {Props} props @param {State} state */
  render(props, state) {
    const { student, onChange } = props;
    const { error, share } = state;
    const session = student.last_session;
    const kept = session && open(session) ? keptAt(session.id) : undefined;
    const status = session && open(session) && !kept ? session.session_status : 'idle';

    return html`
      <article class=${`student ${status}`} aria-labelledby=${`student-${student.id}`}>
        <header>
          <h3 id=${`student-${student.id}`}><${Name} text=${student.name} /></h3>
          ${session && status !== 'idle' && html`<${Badge} status=${session.session_status} />`}
          <p class="muted">
            ${student.package_id ? html`<${Name} text=${student.package_id} />` : t('package.none')}
            ${lastClass(session)}
          </p>
        </header>
        ${status === 'active' && html`<${Running} session=${session} />`}
        ${status === 'sent' && html`<${Delivery} session=${session} name=${student.name} />`}
        ${endedToday(session) && html`<${Finished} session=${session} onChange=${onChange} />`}
        ${kept ? html`<${Kept} at=${kept} />` : this.buttons(props, state)}
        ${error && !(isAtLink(error) && this.asksLink(props, state)) && html`<${Notice} text=${explain(error)} />`}
        ${student.may_send && !student.telegram_linked && !(session && open(session)) && html`
          <button type="button" class="link"
            onClick=${() => props.onTelegram(student)}>${t('telegram.link_student')}</button>`}
        ${share && html`<${ShareDialog} title=${t('share.title', { name: student.name })} about=${t('share.about')}
          link=${share}
          onClose=${() => this.setState({ share: '' })} />`}
      </article>
    `;
  }

  /** What both forms of a link have. @param {Props} props @param {State} state */
  linkForm({ student }, { busy, error }) {
    const onInput = () => error && this.setState({ error: null });
    return { id: `zoom-${student.id}`, link: student.zoom_url ?? '', busy: !!busy, error, onInput };
  }

  /** The link of the open class, or the form for another. @param {string} link @param {Props} props @param {State} state */
  linkUsed(link, props, state) {
    if (this.asksLink(props, state))
      return html`
        <${LinkForm} key="change" ...${this.linkForm(props, state)} hint=${t('send.change_hint')} asked
          onLink=${this.change} onCancel=${() => this.type('')}>${t('action.save')}<//>
      `;
    return html`
      <p class="link-used">
        <span class="muted"><bdi dir="ltr">${short(link)}</bdi></span>
        <button type="button" class="link" ref=${this.opener}
          onClick=${() => this.type('change')}>${t('send.change')}</button>
      </p>
    `;
  }

  /** @param {Props} props @param {State} state */
  buttons(props, state) {
    const { student, meetings, away } = props;
    const { busy, sent } = state;
    const session = student.last_session;

    if (session && open(session)) {
      const start = sent?.session.id === session.id && sent.start_url;
      // While the server is away nobody knows whether the student has come: ending it is right in either case.
      const what = session.session_status === 'active' || away ? 'end' : 'cancel';
      return html`
        ${start
          ? html`<a class="button primary" href=${start} target="_blank" rel="noreferrer">
              <${Icon} name="video" /> ${t('send.start')}</a>`
          : html`<button key="start" type="button" class="primary" disabled=${!!busy} onClick=${this.start}>
              <${Icon} name="video" /> ${t('send.start')}</button>`}
        ${this.linkUsed(start || '', props, state)}
        <div class="buttons">
          <button type="button" disabled=${!!busy} onClick=${this.copy}>
            <${Icon} name="copy" /> ${t('share.copy')}</button>
          <button type="button" disabled=${!!busy} onClick=${this.show}>
            <${Icon} name="qr" /> ${t('share.show_qr')}</button>
        </div>
        <${Finish} key=${`${session.id} ${what}`} what=${what} busy=${!!busy} onYes=${() => this.finish(what)} />
      `;
    }
    if (!student.may_send) return null;
    if (this.asksLink(props, state))
      return html`
        <${LinkForm} key="send" ...${this.linkForm(props, state)} asked=${!!state.typing} onLink=${this.send}
          onCancel=${(student.zoom_url || meetings) && (() => this.type(''))}>
          <${Icon} name="send" /> ${t(busy ? 'send.busy' : 'send.button')}
        <//>
      `;
    return html`
      <button key="send" type="button" class="primary" disabled=${!!busy}
        onClick=${() => this.send(student.zoom_url)}>
        <${Icon} name="send" /> ${t(busy ? 'send.busy' : 'send.button')}</button>
      <p class="link-used">
        <span class="muted">
          ${student.zoom_url ? html`<bdi dir="ltr">${short(student.zoom_url)}</bdi>` : t('send.new_meeting')}</span>
        <button type="button" class="link" ref=${this.opener}
          onClick=${() => this.type('send')}>${t('send.other_link')}</button>
      </p>
    `;
  }
}

/** @param {Session | null} session */
const lastClass = (session) =>
  session && !open(session) && ` · ${t('student.last', { time: dayTime(session.clicked_at ?? session.sent_at) })}`;

/** zoom.us/j/933… of a long link @param {string} url */
const short = (url) => url.replace(/^https:\/\//, '').replace(/[?#].*$/, '').slice(0, 40);

/**
 * The clock of a running class, and a word when the package's time is over.
 * @extends {Component<{session: Session}, {over: boolean}>}
 */
class Running extends Component {
  state = { over: this.over() };

  componentDidMount() {
    this.stop = onTick(() => {
      if (this.over() === this.state.over) return;
      this.setState({ over: this.over() });
    });
  }

  componentWillUnmount() {
    this.stop?.();
  }

  /** When the time of the package is over. */
  planned() {
    const { clicked_at, duration_minutes } = this.props.session;
    return duration_minutes ? Date.parse(clicked_at ?? '') + duration_minutes * 60_000 : NaN;
  }

  over() {
    return now() >= this.planned();
  }

  /** @param {{session: Session}} props @param {{over: boolean}} state */
  render({ session }, { over }) {
    const end = time(session.times_out_at ?? '');

    return html`
      <p class="timer"><${Stopwatch} session=${session} />
        <span class="muted">${t('running.since', { time: time(session.clicked_at ?? '') })}</span></p>
      <p class=${over ? 'over' : 'muted'} role="status">
        ${over ? t('running.over', { minutes: minutes(session.duration_minutes ?? 0), time: end })
          : t('running.until', { time: end })}
      </p>
    `;
  }

  /** @type {(() => void) | undefined} */
  stop;
}

/** @param {{session: Session, name: string}} props */
const Delivery = ({ session, name }) => {
  const result = session.delivery ?? 'none';

  return html`
    <p class=${`delivery ${result}`} role="status">
      <${Icon} name=${{ sent: 'check', failed: 'alert', unknown: 'alert' }[result] ?? 'clock'} />
      <span>${word('deliver', result)}${advice(session) && html`<span class="muted"
        dir="auto"> ${advice(session)}</span>`}</span>
    </p>
    <p class="muted">${t('send.waiting', { name, time: time(session.sent_at) })}</p>
  `;
};

/** @param {{session: Session, onChange: (session: Session) => void}} props */
const Finished = ({ session, onChange }) => html`
  <div class="finished">
    <p class="state"><${Badge} status=${session.session_status} />
      ${session.session_duration_minutes !== null && html`
        <strong class="num"><${Duration} session=${session} /></strong>`}
      <${Marks} session=${session} /></p>
    <${Attendance} key=${session.id} session=${session} onDone=${onChange} />
  </div>
`;
