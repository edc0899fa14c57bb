// One session beside the list: its facts, its evidence, what an admin can do about it.

import { Component, Field, Icon, Name, Notice, createRef, html, say, values } from './ui.js';
import { Problem, api, explain, query } from './api.js';
import { dayTime, fromInput, language, minutes, money, t, toInput, word } from './i18n.js';
import { Badge, Duration, Marks, When, advice, endedBy, running } from './session.js';
import { sentence } from './sentence.js';
import { Timeline, TimelineSkeleton } from './timeline.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').Evidence} Evidence */
/** @typedef {import('../types').Explained} Explained */
/** To withdraw is to cancel what a newer link has replaced. */
/** @typedef {'end' | 'cancel' | 'reopen' | 'correct' | 'release' | 'withdraw'} Action */

/** @type {Record<string, Action[]>} */
const ACTIONS = {
  sent: ['cancel', 'correct'],
  active: ['end', 'correct', 'cancel'],
  ended: ['correct', 'reopen'],
  timeout: ['correct', 'reopen'],
  missed: ['correct', 'reopen'],
  cancelled: [],
};

/**
 * @typedef {object} Props
 * @property {number} id
 * @property {Session | undefined} session as the list knows it, if it is part of it
 * @property {unknown} asOf another with each answer of the list
 * @property {string | null} [reopenFrom] the moment of a late opening: reopening is offered at once
 * @property {() => void} onClose
 * @property {(session: Session | null) => void} onChange
 */
/**
 * @typedef {{
 *   events: Evidence[] | null,
 *   opened_late_at: string | null,
 *   explanation: string,
 *   explained: Explained | null,
 *   session: Session | null,
 *   error: unknown,
 *   action: Action | null,
 *   typed: boolean,
 *   busy: boolean,
 *   kept: boolean,
 *   refused: unknown,
 * }} State
 */

/** @type {State} */
const UNKNOWN = {
  events: null, opened_late_at: null, explanation: '', explained: null, session: null, error: null,
  action: null, typed: false, busy: false, kept: false, refused: null,
};

/** @extends {Component<Props, State>} */
export class SessionPanel extends Component {
  /** @type {State} */
  state = { ...UNKNOWN, action: this.props.reopenFrom ? 'reopen' : null };

  componentDidMount() {
    const dialog = this.dialog.current;

    // Beside the list where there is room, over it where there is none.
    if (matchMedia('(min-width: 900px)').matches) dialog?.show();
    else dialog?.showModal();
    this.heading.current?.focus();
    document.addEventListener('leave', this.stay);
    this.load();
  }

  componentWillUnmount() {
    document.removeEventListener('leave', this.stay);
    this.dialog.current?.close();
  }

  /** Another class would take what was typed along; while it is being saved it is safe. @param {Event} event */
  stay = (event) => {
    const { typed, busy } = this.state;

    if (!typed || busy) return;
    event.preventDefault();
    this.setState({ kept: true });
  };

  /** @param {Props} before */
  componentDidUpdate(before) {
    const { id, session, asOf } = this.props;

    if (before.id !== id) {
      this.setState(UNKNOWN);
      this.load();
    } else if (before.asOf && before.asOf !== asOf && changed(before.session, session)) {
      this.load(true);
    }
  }

  /** @param {boolean} [poll] */
  async load(poll = false) {
    const turn = ++this.turn;
    const { id } = this.props;

    try {
      const answer = await api('GET', `/api/admin/session-events${query({ session_id: id })}`, undefined, { poll });
      if (turn !== this.turn) return; // of another class, or older than what is shown
      this.setState({ ...answer, session: answer.session ?? null, error: null });
    } catch (error) {
      if (turn === this.turn) this.setState({ error });
    }
  }

  /** @param {KeyboardEvent} event */
  keys = (event) => {
    if (event.key === 'Escape') this.escape(event);
  };

  /** Escape, or Android's way back. @param {Event} event */
  escape = (event) => {
    event.preventDefault();
    if (this.state.busy) return;
    if (this.state.typed) this.setState({ kept: true }); // pressed by mistake: it drops nothing that was typed
    else if (this.state.action) this.leaveForm();
    else this.props.onClose();
  };

  /** Asked twice, the browser closes it without asking: what was typed stays all the same. */
  closed = () => {
    const { typed, busy } = this.state;

    if (!this.dialog.current) return;
    if (!typed && !busy) return this.props.onClose();
    this.dialog.current.showModal();
    this.setState({ kept: !busy });
  };

  type = () => this.state.typed || this.setState({ typed: true });

  /** Whoever was in the form, which goes, is at the top of the panel. */
  leaveForm = () => {
    const at = document.activeElement;

    if (at === document.body || this.dialog.current?.contains(at)) this.heading.current?.focus();
    this.setState({ action: null, typed: false, busy: false, kept: false });
  };

  /** @param {Session | null} session */
  done = (session) => {
    if (!session || session.id === this.props.id) this.leaveForm();
    this.props.onChange(session);
    this.load();
  };

  /** Somebody else was faster: what can be done now is another thing. @param {Problem} refused */
  refuse = (refused) => {
    this.leaveForm();
    this.setState({ refused });
    this.props.onChange(null);
    this.load();
  };

  /** @param {Props} props @param {State} state */
  render({ id, onClose, ...props }, { events, explanation, explained, error, action, busy, kept, refused, ...state }) {
    const session = state.session ?? props.session;

    return html`
      <dialog ref=${this.dialog} class="panel" aria-labelledby="panel-title" onKeyDown=${this.keys}
        onCancel=${this.escape} onClose=${this.closed}>
        <header>
          <h2 id="panel-title" tabindex="-1" ref=${this.heading}>
            ${session ? html`<${Name} text=${session.student.name} />` : t('panel.title', { n: id })}
          </h2>
          <button type="button" class="bare" aria-label=${t('action.close')} disabled=${busy}
            onClick=${onClose}><${Icon} name="close" /></button>
        </header>
        <div class="panel-body">
          ${session && html`<${Facts} session=${session} />`}
          ${error && html`<${Notice} text=${explain(error)} onRetry=${() => this.load()} />`}
          ${session && (explained || !error) && html`<p class="explanation">${!explained ? html`<i
            class="skeleton"></i>` : language === 'en' ? explanation : sentence(session, explained)}</p>`}
          ${session && (action
            ? html`<${ActionForm} key=${action} action=${action} session=${session} from=${props.reopenFrom}
              opened=${props.reopenFrom ?? state.opened_late_at} kept=${kept} busy=${busy}
              onInput=${this.type} onBusy=${(/** @type {boolean} */ is) => this.setState({ busy: is })} onDone=${this.done} onRefused=${this.refuse} onCancel=${this.leaveForm} />`
            : html`${refused && html`<${Notice} text=${explain(refused)} />`}
              <${Actions} session=${session} explained=${explained}
              onChoose=${(/** @type {Action} */ a) => this.setState({ action: a, refused: null })} />`)}
          <h3>${t('panel.evidence')}</h3>
          ${events ? html`<${Timeline} events=${events} session=${session} />` : !error && html`<${TimelineSkeleton} />`}
          ${session && html`<${Links} session=${session} events=${events ?? []} />`}
        </div>
      </dialog>
    `;
  }

  turn = 0;
  heading = createRef();
  /** @type {{current: HTMLDialogElement | null}} */
  dialog = createRef();
}

/** @param {{session: Session, events: Evidence[]}} props */
const Links = ({ session: { id, student, teacher }, events }) => html`
  <p class="links">
    ${events.some(({ kind }) => kind.startsWith('zoom_')) && html`
      <a href=${`/admin/zoom-inbox${query({ session: id })}`}>${t('panel.meetings')}</a>`}
    <a href=${`/admin/${query({ student_id: student.id, period: 'all' })}`}>${t('panel.all_of_student')}</a>
    <a href=${`/admin/${query({ teacher_id: teacher.id, period: 'all' })}`}>${t('panel.all_of_teacher')}</a>
  </p>
`;

/**
 * Whether the list has news; of what is not in it, it cannot tell.
 * @param {Session | undefined} a
 * @param {Session | undefined} b
 */
function changed(a, b) {
  return !a || !b || JSON.stringify(a) !== JSON.stringify(b);
}

/** @param {{session: Session}} props */
const Facts = ({ session: s }) => html`
  <p class="state"><${Badge} status=${s.session_status} /> <strong class="num">
    <${Duration} session=${s} /></strong> <${Marks} session=${s} /></p>
  <dl class="facts">
    <dt>${t('col.teacher')}</dt><dd><${Name} text=${s.teacher.name} /></dd>
    <dt>${t('col.package')}</dt><dd>${s.package_id ? html`<${Name} text=${s.package_id} />` : t('package.none')}
      ${s.package_rate && html` <span class="muted">${money(s.package_rate, s.currency)}</span>`}</dd>
    <dt>${t('col.sent')}</dt><dd><${When} at=${s.sent_at} /></dd>
    <dt>${t('col.start')}</dt><dd><${When} at=${s.clicked_at} /></dd>
    <dt>${t('col.deadline')}</dt><dd><${When} at=${s.times_out_at} beside=${s.clicked_at} /></dd>
    <dt>${t('col.end')}</dt><dd><${When} at=${s.session_ended_at} beside=${s.clicked_at} /></dd>
    <dt>${t('col.ended_by')}</dt><dd>${endedBy(s)}</dd>
    <dt>${t('col.delivery')}</dt>
      <dd>${word('delivery', s.delivery ?? 'none')}${advice(s) && html`<span class="muted"
        dir="auto"> ${advice(s)}</span>`}</dd>
    <dt>${t('col.attendance')}</dt>
      <dd>${s.attendance ? word('attendance', s.attendance) : t('attendance.none')}</dd>
    ${s.presence && html`<dt>${t('presence.title')}</dt><dd>${presence(s.presence)}</dd>`}
  </dl>
`;

/** @param {import('../types').Presence} p */
function presence({ teacher_minutes, student_minutes, both_minutes }) {
  /** @param {number | null} n */
  const of = (n) => (n == null ? t('presence.unknown') : minutes(n));
  return t('presence.text', { teacher: of(teacher_minutes), student: of(student_minutes), both: of(both_minutes) });
}

/**
 * @param {{
 *   session: Session,
 *   explained: Explained | null,
 *   onChoose: (action: Action) => void,
 * }} props
 */
const Actions = ({ session, explained, onChoose }) => {
  const actions = [...ACTIONS[session.session_status] ?? []];

  if (explained?.corrected) actions.push('release');
  if (explained?.withdrawn_by === 'newer_link') actions.push('withdraw');
  return html`
    <div class="actions">
      ${actions.map((name) => html`
        <button key=${name} type="button" class=${isFinal(name) ? 'danger' : ''}
          onClick=${() => onChoose(name)}>${t(`do.${name}`)}</button>`)}
    </div>
  `;
};

/** Whether nobody can undo it. @param {Action} action */
const isFinal = (action) => action === 'cancel' || action === 'withdraw';

/**
 * The start that reopening offers. Who came back before the deadline came back to a class that is theirs, with what it
 * has had; who came after it, or to one that never began, comes to another.
 * @param {Session} s
 * @param {string | null} opened when the link was opened after the class was over
 */
function startAgain({ clicked_at: start, times_out_at: deadline }, opened) {
  if (!start || !opened || !deadline) return start ?? opened;
  return Date.parse(opened) > Date.parse(deadline) ? opened : start;
}

/**
 * @typedef {{
 *   action: Action,
 *   session: Session,
 *   from?: string | null,
 *   opened: string | null,
 *   kept: boolean,
 *   busy: boolean,
 *   onInput: () => void,
 *   onBusy: (busy: boolean) => void,
 *   onDone: (session: Session | null) => void,
 *   onRefused: (error: Problem) => void,
 *   onCancel: () => void,
 * }} FormProps
 */

/**
 * Every action asks why; the answer is kept as evidence.
 * @extends {Component<FormProps, {error: unknown}>}
 */
class ActionForm extends Component {
  state = { error: /** @type {unknown} */ (null) };

  componentDidMount() {
    this.form.current?.querySelector('input')?.focus();
  }

  /** @type {{current: HTMLFormElement | null}} */
  form = createRef();
  /** What the form shows: asked for once more, it asks for the same, though that may be done by then. */
  shown = this.props.session;

  /** Whoever is still here is where it can be mended: the button lost them when it was disabled. @param {unknown} error */
  fail(error) {
    this.setState({ error }, () => {
      const form = this.form.current;
      const at = document.activeElement;
      const wrong = form?.querySelector('[aria-invalid]') ?? form?.querySelector('footer button:last-child');
      if (wrong instanceof HTMLElement && (at === document.body || form?.contains(at))) wrong.focus();
    });
  }

  /** @param {SubmitEvent} event */
  submit = async (event) => {
    event.preventDefault();
    const { action, opened, onBusy, onDone, onRefused } = this.props;
    const session = this.shown;
    const start = action === 'reopen' ? startAgain(session, opened) : session.clicked_at;
    /** What an input showed, or would, for the hour that clocks repeat. @type {Record<string, string | null>} */
    const near = { clicked_at: start, session_ended_at: session.session_ended_at ?? session.times_out_at };
    const { reason, ...moments } = values(/** @type {HTMLFormElement} */ (event.currentTarget));
    /** @type {Record<string, unknown>} */
    const body = { session_id: session.id, action: action === 'withdraw' ? 'cancel' : action, reason };

    if (isFinal(action)) body.session_status = session.session_status; // nothing but what was shown
    // Only what was changed is a correction; a deadline is always a new one.
    for (const [name, value] of Object.entries(moments)) {
      const before = /** @type {any} */ (session)[name];
      const same = name !== 'times_out_at' && before && toInput(before) === padded(value ?? '');
      if (value && !same) body[name] = fromInput(value, near[name] ?? start ?? session.sent_at);
    }
    // A start alone would take an end that is its deadline along; the end that was shown is saved with it.
    if (body.clicked_at && moments.session_ended_at) body.session_ended_at ??= session.session_ended_at;
    const unfit = action === 'correct' && misfit(session, moments, body);
    if (unfit) return this.fail(unfit);
    this.setState({ error: null });
    onBusy(true);
    try {
      const answer = await api('POST', '/api/admin/session', body);
      say(t(`done.${action}`));
      onDone(answer?.session ?? null);
    } catch (error) {
      if (!this.form.current) return say(explain(error)); // another class is looked at
      if (error instanceof Problem && error.status === 409) return onRefused(error);
      onBusy(false);
      this.fail(error);
    }
  };

  /** @param {FormProps} props @param {{error: unknown}} state */
  render({ action, session, from, opened, kept, busy, onInput, onCancel }, { error }) {
    const { shown } = this;
    const { field, text = explain(error) } = /** @type {Partial<Misfit>} */ (error ?? {});
    /** @param {string} name */
    const wrong = (name) => (field === name ? text : null);
    const named = ['reason', 'clicked_at', 'session_ended_at', 'times_out_at'].includes(field ?? '');
    /** @param {string} name @param {string | null} at @param {any} rest */
    const moment = (name, at, rest = {}) => html`
      <${Field} label=${t(/** @type {any} */ (`field.${name}`))} name=${name} type="datetime-local" step="1"
        dir="ltr"
        defaultValue=${at ? toInput(at) : ''} error=${wrong(name)} ...${rest} />`;

    return html`
      <form ref=${this.form} class="stack boxed" onSubmit=${this.submit} onInput=${onInput}
        aria-label=${t(`do.${action}`)}>
        <${About} action=${action} session=${session} />
        ${action === 'correct' && moment('clicked_at', shown.clicked_at)}
        ${action === 'correct' && moment('session_ended_at', shown.session_ended_at)}
        ${action === 'reopen' && moment('clicked_at', startAgain(shown, opened),
          shown.clicked_at ? { hint: t('field.clicked_at_hint'), required: true }
            : { hint: t('field.clicked_at_or_now_hint') })}
        ${action === 'reopen' && moment('times_out_at', null, { hint: t('field.times_out_at_hint') })}
        <${Field} label=${t('field.reason')} name="reason" required maxlength="500" autocomplete="off" dir="auto"
          defaultValue=${from && action === 'reopen' ? t('attention.late_reason', { time: dayTime(from) }) : ''}
          error=${wrong('reason')} />
        ${error && !named && html`<${Notice} text=${text} />`}
        ${kept && html`<${Notice} kind="note" text=${t('form.kept', { cancel: t('action.back') })} />`}
        <footer>
          <button type="button" disabled=${busy} onClick=${onCancel}>${t('action.back')}</button>
          <button class=${isFinal(action) ? 'danger solid' : 'primary'}
            disabled=${busy}>${t(`do.${action}`)}</button>
        </footer>
      </form>
    `;
  }
}

/** @typedef {{field: string, text: string}} Misfit what is wrong with an input before anybody is asked */

/**
 * A correction may move a moment, never take it away.
 * @param {Session} session
 * @param {Record<string, string | null>} moments as they stand in the form
 * @param {Record<string, unknown>} body what would be sent of them
 * @returns {Misfit | null}
 */
function misfit(session, moments, body) {
  const names = /** @type {const} */ (['clicked_at', 'session_ended_at']);
  const gone = names.find((name) => session[name] && !moments[name]);

  if (gone) return { field: gone, text: t(`correct.${gone}`) };
  return names.some((name) => body[name]) ? null : { field: names[0], text: t('correct.nothing') };
}

/** What it does; of ending the wrong way also what it costs. @param {{action: Action, session: Session}} props */
const About = ({ action, session }) => html`
  <p>${t(`about.${action}`)}</p>
  ${action === 'cancel' && session.session_status === 'active' && html`<p>${t('about.cancel_active', {
    time: minutes(Math.round(running(session) / 60_000)), end: t('do.end'),
  })}</p>`}
`;

/** @param {string} value a datetime-local without seconds when they are nought */
const padded = (value) => (value.length === 16 ? `${value}:00` : value);
