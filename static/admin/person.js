// The forms for a teacher and a student, new or known.

import { Field, html } from '../lib/ui.js';
import { FormDialog } from '../lib/form.js';
import { linkIn } from '../lib/link.js';
import { amend, api } from '../lib/api.js';
import { LANGUAGES, languageName, t } from '../lib/i18n.js';

/** @typedef {import('../types').Named} Named */
/** @typedef {import('../lib/form.js').Wrong} Wrong */
/** @typedef {import('../lib/form.js').Given} Given */
/**
 * @typedef {object} Teacher
 * @property {number} id
 * @property {string} name
 * @property {string} email
 * @property {boolean} disabled
 * @property {boolean} joined has chosen a password
 * @property {{expires_at: string} | null} invited
 * @property {number} active_students
 * @property {boolean} telegram_linked
 */
/**
 * @typedef {object} Student
 * @property {number} id
 * @property {string} name
 * @property {number} teacher_id
 * @property {Named} teacher
 * @property {string | null} package_id
 * @property {string} language
 * @property {number | null} telegram_chat_id
 * @property {string | null} zoom_url
 * @property {string} note
 * @property {boolean} disabled
 * @property {string} request_id of a new one: it is made once, however often Save is tapped
 */

/** @param {{checked: boolean | undefined, about: string}} props */
const Disabled = ({ checked, about }) => html`
  <div class="field">
    <label class="check">
      <input type="checkbox" name="disabled" defaultChecked=${checked}
        aria-describedby="f-disabled-hint" /> ${t('field.disabled')}</label>
    <p class="hint" id="f-disabled-hint">${about}</p>
  </div>
`;

/** A checkbox that is not ticked is not among a form's values. @param {Given} given */
const teacherOf = ({ disabled, ...given }) => ({ ...given, disabled: disabled !== undefined });

/** @param {{teacher: Partial<Teacher>, onSaved: (saved: any) => void, onClose: () => void}} props */
export const TeacherDialog = ({ teacher, onSaved, onClose }) => {
  /** @param {Given} given @param {Given} shown */
  const save = async (given, shown) =>
    onSaved(await (teacher.id
      ? amend('/api/admin/teachers', { id: teacher.id }, teacherOf(shown), teacherOf(given))
      : api('POST', '/api/admin/teachers', given)));

  return html`
    <${FormDialog} title=${teacher.id ? t('people.edit_teacher') : t('people.add_teachers')} onSave=${save}
      onClose=${onClose}>
      ${(/** @type {Wrong} */ wrong) => html`
        <${Field} label=${t('field.name')} name="name" required maxlength="200" dir="auto" autocomplete="off"
          defaultValue=${teacher.name} error=${wrong('name')} />
        <${Field} label=${t('field.email')} name="email" type="email" required maxlength="254" dir="ltr"
          autocomplete="off" defaultValue=${teacher.email}
          error=${wrong('email')} hint=${teacher.id ? undefined : t('people.email_hint')} />
        ${teacher.id && html`<${Disabled} checked=${teacher.disabled} about=${t('people.disabled_teacher')} />`}`}
    <//>
  `;
};

/** @param {Given} given */
const studentOf = ({ disabled, teacher_id, note, zoom_url, ...given }) =>
  ({ ...given, teacher_id: Number(teacher_id), note: note ?? '', zoom_url: zoom_url && linkIn(zoom_url),
    disabled: disabled !== undefined });

/**
 * @param {{
 *   student: Partial<Student>,
 *   teachers: Teacher[],
 *   packages: string[],
 *   onSaved: () => void,
 *   onClose: () => void,
 * }} props
 */
export const StudentDialog = ({ student, teachers, packages, onSaved, onClose }) => {
  /** @param {Given} given @param {Given} shown */
  const save = async (given, shown) => {
    // A link that nobody touched is the former teacher's, should the student get another one: it is not sent.
    if (student.id) await amend('/api/admin/students', { id: student.id }, studentOf(shown), studentOf(given));
    else {
      const { disabled, zoom_url, ...wish } = studentOf(given);
      const named = { ...wish, request_id: student.request_id };
      await api('POST', '/api/admin/students', zoom_url ? { ...named, zoom_url } : named);
    }
    onSaved();
  };
  // What the student has stays a choice, also when it is not offered any more.
  const { teacher, package_id: own, language = 'en' } = student;
  const free = teachers.filter(({ id, disabled }) => !disabled || id === teacher?.id);
  const known = teacher && !free.some(({ id }) => id === teacher.id) ? [...free, teacher] : free;
  const spoken = language in LANGUAGES ? LANGUAGES : { ...LANGUAGES, [language]: languageName(language) };
  const offered = own && !packages.includes(own) ? [...packages, own] : packages;

  return html`
    <${FormDialog} title=${student.id ? t('people.edit_student') : t('people.add_students')} onSave=${save}
      onClose=${onClose}>
      ${(/** @type {Wrong} */ wrong) => html`
        <${Field} label=${t('field.name')} name="name" required maxlength="200" dir="auto" autocomplete="off"
          defaultValue=${student.name} error=${wrong('name')} />
        <div class="two">
          <${Field} label=${t('col.teacher')} name="teacher_id"
            error=${wrong('teacher_id')}>${(/** @type {any} */ shared) => html`
            <select ...${shared} required>
              <option value="">${t('field.choose')}</option>
              ${known.map(({ id, name }) => html`<option value=${id}
                selected=${id === student.teacher_id}>${name}</option>`)}
            </select>`}<//>
          <${Field} label=${t('col.package')} name="package_id"
            error=${wrong('package_id')}>${(/** @type {any} */ shared) => html`
            <select ...${shared}>
              <option value="">${t('package.none')}</option>
              ${offered.map((id) => html`<option value=${id} selected=${id === student.package_id}>${id}</option>`)}
            </select>`}<//>
          <${Field} label=${t('field.language')} name="language"
            error=${wrong('language')}>${(/** @type {any} */ shared) => html`
            <select ...${shared}>
              ${Object.entries(spoken).map(([tag, name]) => html`<option value=${tag}
                selected=${tag === language}>${name}</option>`)}
            </select>`}<//>
        </div>
        <${Field} label=${t('field.zoom_url')} name="zoom_url" type="text" inputmode="url" dir="ltr"
          autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="https://zoom.us/j/…"
          defaultValue=${student.zoom_url ?? ''} error=${wrong('zoom_url')} hint=${t('field.zoom_url_hint')} />
        <${Field} label=${t('field.note')} name="note" error=${wrong('note')}>${(/** @type {any} */ shared) => html`
          <textarea ...${shared} maxlength="2000" dir="auto" defaultValue=${student.note ?? ''}></textarea>`}<//>
        ${student.id && html`<${Disabled} checked=${student.disabled} about=${t('people.disabled_student')} />`}`}
    <//>
  `;
};
