// Teachers and students: who they are, whether they can sign in or be reached, how to add them.

import { Component, Empty, Icon, Name, Notice, html, say } from '../lib/ui.js';
import { api, explain, query, uuid } from '../lib/api.js';
import { LANGUAGES, dayTime, languageName, number, t } from '../lib/i18n.js';
import { ShareDialog } from '../lib/share.js';
import { start } from '../lib/shell.js';
import { ImportDialog } from './import.js';
import { StudentDialog, TeacherDialog } from './person.js';

/** @typedef {import('./person.js').Teacher} Teacher */
/** @typedef {import('./person.js').Student} Student */
/** @typedef {'teachers' | 'students'} Tab */
/** @typedef {{title: string, about: string, link: string}} Share */
/**
 * @typedef {object} State
 * @property {Tab} tab
 * @property {string} q
 * @property {Teacher[] | null} teachers
 * @property {Student[] | null} students
 * @property {string[]} packages
 * @property {boolean} more
 * @property {unknown} error
 * @property {Partial<Teacher> | null} teacher being added or edited
 * @property {Partial<Student> | null} student being added or edited
 * @property {boolean} importing
 * @property {Share | null} share
 * @property {boolean} asking a link is on its way
 */

/** @extends {Component<{}, State>} */
class PeoplePage extends Component {
  /** @type {State} */
  state = {
    ...this.address(), teachers: null, students: null, packages: [], more: false,
    error: null, teacher: null, student: null, importing: false, share: null, asking: false,
  };

  timer = 0;
  turn = 0;

  componentDidMount() {
    addEventListener('popstate', () => this.setState(this.address(), this.load));
    this.load();
  }

  /** @returns {{tab: Tab, q: string}} */
  address() {
    const given = new URLSearchParams(location.search);
    return { tab: given.get('tab') === 'students' ? 'students' : 'teachers', q: given.get('q') ?? '' };
  }

  load = async () => {
    const turn = ++this.turn;
    const { q, tab } = this.state;

    this.setState({ error: null });
    try {
      const [{ teachers, more: moreTeachers }, { students, more: moreStudents }, { packages }] = await Promise.all([
        api('GET', `/api/admin/teachers${query({ q: tab === 'teachers' ? q : '' })}`),
        api('GET', `/api/admin/students${query({ q: tab === 'students' ? q : '' })}`),
        api('GET', '/api/admin/packages'),
      ]);
      if (turn !== this.turn) return;
      const offered = packages.filter((/** @type {any} */ p) => !p.retired).map((/** @type {any} */ p) => p.id);
      const more = tab === 'teachers' ? moreTeachers : moreStudents;
      this.setState({ teachers, students, packages: offered, more });
    } catch (error) {
      if (turn === this.turn) this.setState({ error });
    }
  };

  /** @param {any} event */
  search = ({ target }) => {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const q = target.value.trim();
      const tab = this.state.tab === 'students' ? 'students' : '';
      history.replaceState(null, '', `/admin/people${query({ tab, q })}`);
      this.setState({ q }, this.load);
    }, 250);
  };

  /**
   * Runs what a button asks for, one at a time: a second link is another person's, or makes the first worthless.
   * What goes wrong is told above the table.
   * @param {() => Promise<void>} fn
   */
  async act(fn) {
    if (this.state.asking) return;
    this.setState({ error: null, asking: true });
    try {
      await fn();
      this.setState({ asking: false });
    } catch (error) {
      this.setState({ error, asking: false }, () =>
        document.querySelector('main > .error')?.scrollIntoView({ block: 'center' }));
    }
  }

  /** @param {Teacher} teacher */
  invite = (teacher) =>
    this.act(async () => {
      const { invite_url: link } = await api('PATCH', '/api/admin/teachers', { id: teacher.id, invite: true });
      this.showInvite(teacher.name, link);
    });

  /** @param {string} name @param {string} link */
  showInvite(name, link) {
    this.setState({ share: { title: t('invitation.title', { name }), about: t('invitation.about'), link } });
    this.load();
  }

  /** @param {'teacher' | 'student'} kind @param {{id: number, name: string}} person */
  telegram = (kind, { id, name }) =>
    this.act(async () => {
      const { url } = await api('POST', `/api/admin/${kind}-link`, { [`${kind}_id`]: id });
      const about = t(kind === 'teacher' ? 'telegram.about_teacher' : 'telegram.about');
      this.setState({ share: { title: t('telegram.title', { name }), about, link: url } });
    });

  /** @param {any} saved null: nothing was changed */
  teacherSaved = (saved) => {
    this.setState({ teacher: null });
    if (saved?.invite_url) this.showInvite(saved.name, saved.invite_url);
    else {
      say(t('people.saved'));
      this.load();
    }
  };

  studentSaved = () => {
    this.setState({ student: null });
    say(t('people.saved'));
    this.load();
  };

  /** Who has opened the link meanwhile is shown so. */
  shared = () => {
    this.setState({ share: null });
    this.load();
  };

  /** What may have been saved after all is shown. @param {boolean} failed */
  closed = (failed) => {
    this.setState({ teacher: null, student: null });
    if (failed) this.load();
  };

  /** @param {unknown} _ @param {State} state */
  render(_, state) {
    const { tab, q, teachers, students, error, share, asking } = state;
    const rows = tab === 'teachers' ? teachers : students;

    return html`
      <div class="head">
        <h1>${t('nav.people')}</h1>
        <div class="tools">
          <button type="button" onClick=${() => this.setState({ importing: true })}>${t('import.button')}</button>
          <button type="button" class="primary"
            onClick=${() => this.setState(tab === 'teachers' ? { teacher: {} } : { student: { request_id: uuid() } })}>
            <${Icon} name="add" /> ${t(`people.add_${tab}`)}</button>
        </div>
      </div>
      <div class="above">
        <nav class="tabs" aria-label=${t('nav.people')}>
          ${/** @type {Tab[]} */ (['teachers', 'students']).map((name) => html`
            <a href=${`/admin/people${name === 'students' ? '?tab=students' : ''}`}
              aria-current=${tab === name ? 'page' : undefined}>${t(`people.${name}`)}</a>`)}
        </nav>
        <label class="pick search"><span class="sr">${t('filter.q')}</span>
          <input type="search" defaultValue=${q} onInput=${this.search} placeholder=${t('filter.q_hint')}
            autocomplete="off" maxlength="100" /></label>
      </div>
      ${error && html`<${Notice} text=${explain(error)} onRetry=${rows ? undefined : this.load} />`}
      ${!rows ? !error && html`<${Shape} />`
        : !rows.length ? html`<${Empty} title=${t(q ? 'people.none_found' : `people.no_${tab}`)}
          text=${q ? '' : t(`people.no_${tab}_text`)} />`
        : tab === 'teachers' ? html`<${Teachers} rows=${teachers} asking=${asking}
          onEdit=${(/** @type {Teacher} */ teacher) => this.setState({ teacher })}
            onInvite=${this.invite} onTelegram=${this.telegram} />`
        : html`<${Students} rows=${students} asking=${asking}
          onEdit=${(/** @type {Student} */ student) => this.setState({ student })} onTelegram=${this.telegram} />`}
      ${state.more && html`<p class="muted">${t('people.more', { n: rows?.length ?? 0 })}</p>`}
      ${state.teacher && html`<${TeacherDialog} teacher=${state.teacher} onSaved=${this.teacherSaved}
        onClose=${this.closed} />`}
      ${state.student && html`<${StudentDialog} student=${state.student} teachers=${teachers ?? []}
        packages=${state.packages}
        onSaved=${this.studentSaved} onClose=${this.closed} />`}
      ${state.importing && html`<${ImportDialog} kind=${tab} onDone=${this.load}
        onClose=${() => this.setState({ importing: false })} />`}
      ${share && html`<${ShareDialog} ...${share} onClose=${this.shared} />`}
    `;
  }
}

/** The shape of what comes. */
const Shape = () => html`<table class="skeleton people stacked" aria-busy="true">
  <tbody>${[1, 2, 3, 4, 5, 6].map(() => html`<tr><td><i></i></td></tr>`)}</tbody></table>`;

/** @type {Record<string, string>} */
const SPOKEN = LANGUAGES;

/** @param {{id: string | null}} props */
const Package = ({ id }) => (id ? html`<${Name} text=${id} />` : html`<span class="muted">${t('package.none')}</span>`);

/** Whom a button is about, for those who do not see its row. @param {{name: string}} props */
const Whose = ({ name }) => html`<span class="sr"> ${name}</span>`;

/** Can this teacher sign in? @param {{teacher: Teacher}} props */
const Access = ({ teacher }) => {
  if (teacher.disabled) return html`<span class="badge cancelled">${t('access.disabled')}</span>`;
  if (teacher.joined) return html`<span class="badge ended">${t('access.active')}</span>`;
  if (teacher.invited)
    return html`<span class="badge missed">${t('access.invited')}</span>
      <p class="muted">${t('access.until', { time: dayTime(teacher.invited.expires_at) })}</p>`;
  return html`<span class="badge">${t('access.expired')}</span>`;
};

/** @param {{linked: boolean}} props */
const Telegram = ({ linked }) =>
  linked
    ? html`<span><${Icon} name="check" /> ${t('telegram.linked')}</span>`
    : html`<span class="muted">${t('telegram.not_linked')}</span>`;

/**
 * @param {{
 *   rows: Teacher[],
 *   asking: boolean,
 *   onEdit: (t: Teacher) => void,
 *   onInvite: (t: Teacher) => void,
 *   onTelegram: (kind: 'teacher', t: Teacher) => void,
 * }} props
 */
const Teachers = ({ rows, asking, onEdit, onInvite, onTelegram }) => html`
  <table class="people stacked">
    <thead><tr>
      <th scope="col">${t('field.name')}</th><th scope="col">${t('field.email')}</th>
        <th scope="col">${t('people.access')}</th>
      <th scope="col">${t('people.telegram')}</th><th scope="col" class="n">${t('people.students')}</th>
        <th scope="col"><span class="sr">${t('people.actions')}</span></th>
    </tr></thead>
    <tbody>${rows.map((teacher) => html`
      <tr key=${teacher.id} class=${teacher.disabled ? 'off' : ''}>
        <th scope="row"><a href=${`/admin/${query({ teacher_id: teacher.id, period: 'all' })}`}>
          <${Name} text=${teacher.name} /></a></th>
        <td data-label=${t('field.email')}><bdi class="address">${teacher.email}</bdi></td>
        <td data-label=${t('people.access')}><${Access} teacher=${teacher} /></td>
        <td data-label=${t('people.telegram')}><${Telegram} linked=${teacher.telegram_linked} /></td>
        <td data-label=${t('people.students')} class="n">${number(teacher.active_students)}</td>
        <td class="acts">
          <button type="button" class="small"
            onClick=${() => onEdit(teacher)}>${t('action.edit')}<${Whose} name=${teacher.name} /></button>
          ${!teacher.disabled && html`
            <button type="button" class="small"
              aria-disabled=${asking} onClick=${() => onInvite(teacher)}>
              ${t(teacher.joined ? 'invitation.reset' : 'invitation.button')}<${Whose} name=${teacher.name} /></button>
            ${!teacher.telegram_linked && html`<button type="button" class="small"
              aria-disabled=${asking} onClick=${() => onTelegram('teacher', teacher)}>
              ${t('telegram.link_student')}<${Whose} name=${teacher.name} /></button>`}`}
        </td>
      </tr>`)}</tbody>
  </table>
`;

/**
 * @param {{
 *   rows: Student[],
 *   asking: boolean,
 *   onEdit: (s: Student) => void,
 *   onTelegram: (kind: 'student', s: Student) => void,
 * }} props
 */
const Students = ({ rows, asking, onEdit, onTelegram }) => html`
  <table class="people stacked">
    <thead><tr>
      <th scope="col">${t('field.name')}</th><th scope="col">${t('col.teacher')}</th>
        <th scope="col">${t('col.package')}</th>
      <th scope="col">${t('menu.language')}</th><th scope="col">${t('people.telegram')}</th><th scope="col">
        <span class="sr">${t('people.actions')}</span></th>
    </tr></thead>
    <tbody>${rows.map((student) => html`
      <tr key=${student.id} class=${student.disabled ? 'off' : ''}>
        <th scope="row"><a href=${`/admin/${query({ student_id: student.id, period: 'all' })}`}>
          <${Name} text=${student.name} /></a>
          ${student.disabled && html` <span class="badge cancelled">${t('access.left')}</span>`}
          ${student.note && html`<p class="muted note" dir="auto">${student.note}</p>`}</th>
        <td data-label=${t('col.teacher')}><${Name} text=${student.teacher.name} /></td>
        <td data-label=${t('col.package')}><${Package} id=${student.package_id} /></td>
        <td data-label=${t('menu.language')}>${SPOKEN[student.language] ?? languageName(student.language)}</td>
        <td data-label=${t('people.telegram')}><${Telegram} linked=${student.telegram_chat_id !== null} /></td>
        <td class="acts">
          <button type="button" class="small"
            onClick=${() => onEdit(student)}>${t('action.edit')}<${Whose} name=${student.name} /></button>
          ${student.telegram_chat_id === null && !student.disabled && html`
            <button type="button" class="small"
              aria-disabled=${asking} onClick=${() => onTelegram('student', student)}>
              ${t('telegram.link_student')}<${Whose} name=${student.name} /></button>`}
        </td>
      </tr>`)}</tbody>
  </table>
`;

const Wait = () => html`<div class="head"><h1>${t('nav.people')}</h1></div><div class="above"></div><${Shape} />`;

start('admin', 'people', PeoplePage, Wait);
