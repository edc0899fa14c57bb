// The teacher's day: today's students first, one tap sends the class.

import { Component, Empty, Notice, html } from '../lib/ui.js';
import { api, explain, now, query } from '../lib/api.js';
import { isoDay, t } from '../lib/i18n.js';
import { open } from '../lib/session.js';
import { Freshness, Refresher, UNTRIED, start } from '../lib/shell.js';
import { ShareDialog } from '../lib/share.js';
import { Unended, holdOpen } from './ending.js';
import { History } from './history.js';
import { StudentCard, endedToday } from './student.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').SessionList} SessionList */
/** @typedef {import('./student.js').Student} Student */
/** @typedef {'now' | 'today' | 'others'} Group */
/**
 * @typedef {object} State
 * @property {Student[] | null} students
 * @property {boolean} meetings the server can make Zoom meetings
 * @property {Map<number, Group>} groups
 * @property {string} q
 * @property {{name: string, url: string} | null} telegram
 * @property {unknown} error
 * @property {import('../lib/shell.js').Health} health
 */

/** @extends {Component<{me: import('../types').Me}, State>} */
class Today extends Component {
  static Away = Unended;

  /** @type {State} */
  state = {
    students: null, meetings: false, groups: new Map(), q: '', telegram: null, error: null,
    health: UNTRIED,
  };

  refresher = new Refresher((poll) => this.load(poll), (health) => this.setState({ health }), 20);
  /** @type {Set<number>} students who have class on this day of the week */
  usual = new Set();
  /** The cards keep their places while somebody looks; who comes back finds them sorted anew. */
  sorted = false;

  componentDidMount() {
    document.addEventListener('visibilitychange', this.resort);
    this.refresher.start();
  }

  resort = () => {
    if (document.hidden) this.sorted = false;
  };

  /** Nobody keeps a timetable: whoever had class on this weekday lately most likely has it today. */
  async findUsual() {
    const today = isoDay(now());
    /** @param {number} weeks */
    const ago = (weeks) => new Date(Date.parse(today) - weeks * 7 * 864e5).toISOString().slice(0, 10);

    try {
      const days = /** @type {SessionList[]} */ (await Promise.all([1, 2].map((weeks) => {
        const day = query({ from: ago(weeks), to: ago(weeks), limit: 200 });
        return api('GET', `/api/teacher/sessions${day}`, undefined, { poll: true, raw401: true });
      })));
      this.usual = new Set(days.flatMap(({ sessions }) => sessions.map(({ student }) => student.id)));
    } catch {
      // Only the order suffers.
    }
  }

  /** @param {boolean} poll */
  async load(poll) {
    const { turn } = this.refresher;
    const [{ students, meetings }] = await Promise.all([
      api('GET', '/api/teacher/students', undefined, { poll }),
      this.sorted || this.findUsual(),
    ]);

    // Something was done since, or a later answer is there: these cards would offer what is over.
    if (turn !== this.refresher.turn) return;
    for (const { id, name, last_session: last } of students) if (last) last.student = { id, name };
    holdOpen(students);
    const groups = this.sorted ? this.state.groups : this.group(students);
    this.setState({ students, meetings: !!meetings, groups });
    this.sorted = true;
  }

  /** @param {Student[]} students */
  group(students) {
    /** @param {Student} student @returns {Group} */
    const of = ({ id, last_session: last }) => {
      const card = document.getElementById(`student-${id}`)?.closest('article');
      // In another section it would be another card, without what is open and typed in this one.
      if (card?.querySelector('form, dialog')) return this.state.groups.get(id) ?? 'others';
      if (open(last) || (endedToday(last) && !last?.attendance)) return 'now';
      return this.usual.has(id) || endedToday(last) ? 'today' : 'others';
    };
    return new Map(students.map((student) => [student.id, of(student)]));
  }

  /** @param {Session} session */
  changed = (session) => {
    const students = (this.state.students ?? []).map((student) => {
      if (student.id !== session.student.id) return student;
      return { ...student, last_session: { ...student.last_session, ...session } };
    });
    this.setState({ students });
    this.refresher.now();
  };

  /** @param {Student} student */
  linkTelegram = async (student) => {
    this.setState({ error: null });
    try {
      const { url } = await api('POST', '/api/teacher/student-link', { student_id: student.id });
      this.setState({ telegram: { name: student.name, url } });
    } catch (error) {
      this.setState({ error });
    }
  };

  /** @param {unknown} _ @param {State} state */
  render(_, { students, meetings, groups, q, telegram, error, health }) {
    const found = students?.filter(({ name }) => name.toLocaleLowerCase().includes(q.toLocaleLowerCase()));

    return html`
      <div class="head">
        <h1>${t('nav.today')}</h1>
        <${Freshness} health=${health} onRefresh=${this.refresher.now} />
        ${students && students.length > 8 && html`
          <label class="pick search"><span class="sr">${t('filter.q')}</span>
            <input type="search" autocomplete="off" placeholder=${t('teacher.search')}
              onInput=${(/** @type {any} */ e) => this.setState({ q: e.target.value.trim() })} /></label>`}
      </div>
      ${error && html`<${Notice} text=${explain(error)} />`}
      ${!found ? html`${health.error && html`<${Unended} />`}<${Shape} />`
        : !students?.length ? html`<${Empty} title=${t('teacher.no_students')}
          text=${t('teacher.no_students_text')} />`
        : !found.length ? html`<${Empty} title=${t('teacher.none_found', { q })} />`
        : /** @type {Group[]} */ (['now', 'today', 'others']).map((group) => {
            const members = found.filter(({ id }) => (groups.get(id) ?? 'others') === group);
            return members.length > 0 && html`
              <section key=${group} aria-labelledby=${`group-${group}`}>
                <h2 id=${`group-${group}`}>${t(`teacher.${group}`)}</h2>
                <div class="students">
                  ${members.map((student) => html`
                    <${StudentCard} key=${student.id} student=${student} meetings=${meetings} away=${!!health.error}
                      onChange=${this.changed} onStale=${this.refresher.now} onTelegram=${this.linkTelegram} />`)}
                </div>
              </section>`;
          })}
      ${telegram && html`<${ShareDialog} title=${t('telegram.title', { name: telegram.name })}
        about=${t('telegram.about')} link=${telegram.url}
        onClose=${() => this.setState({ telegram: null })} />`}
    `;
  }
}

const view = new URLSearchParams(location.search).get('view') === 'history' ? 'history' : 'today';

/** The shape of what comes. */
const Shape = () => html`<div class="students skeleton"
  aria-busy="true">${[1, 2, 3, 4].map(() => html`<i></i>`)}</div>`;
const Wait = () => html`
  <div class="head"><h1>${t(`nav.${view}`)}</h1><${Freshness} health=${UNTRIED} onRefresh=${() => {}} /></div>
  <${Shape} />
`;

start('teacher', view, view === 'history' ? History : Today, Wait);
