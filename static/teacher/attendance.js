// Was the student there? One tap, and a note if there is something to say.

import { Component, Dialog, Field, Notice, html, say, values } from '../lib/ui.js';
import { api, explain } from '../lib/api.js';
import { t } from '../lib/i18n.js';
import { ATTENDANCE } from '../lib/session.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').Attendance} Mark */
/**
 * @typedef {object} Props
 * @property {Session} session
 * @property {(session: Session) => void} onDone
 * @property {() => void} [onClose] makes it a dialog
 */
/**
 * @typedef {object} State
 * @property {Mark | null} saving the mark that is on its way
 * @property {boolean} note is being written
 * @property {boolean} kept Escape was pressed over it
 * @property {unknown} error
 */

/** @extends {Component<Props, State>} */
export class Attendance extends Component {
  /** @type {State} */
  state = { saving: null, note: false, kept: false, error: null };
  /** Into the note. */
  typed = false;

  /**
   * Whether it is saved. The note being written stays as it is: only its own button is done with it.
   * @param {Mark} attendance @param {string} [note] the one that stands, if none is given
   */
  async save(attendance, note = this.props.session.attendance_note ?? '') {
    const { id: session_id } = this.props.session;

    this.setState({ saving: attendance, kept: false, error: null });
    try {
      await api('POST', '/api/teacher/attendance', { session_id, attendance, note });
      this.setState({ saving: null });
      say(t('attendance.saved'));
      this.props.onDone({ ...this.props.session, attendance, attendance_note: note });
      return true;
    } catch (error) {
      this.setState({ saving: null, error });
      return false;
    }
  }

  /** @param {SubmitEvent} event */
  saveNote = async (event) => {
    event.preventDefault();
    const { note } = values(/** @type {HTMLFormElement} */ (event.currentTarget));
    if (await this.save(this.props.session.attendance ?? 'present', note ?? '')) this.write(false);
  };

  /** Begins a note, or is done with it. @param {boolean} note */
  write(note) {
    this.typed = false;
    this.setState({ note, kept: false });
  }

  /** Pressed by mistake, it drops no note that was typed. */
  escape = () => {
    if (this.typed) this.setState({ kept: true });
    else this.props.onClose?.();
  };

  /** @param {Props} props @param {State} state */
  render({ session, onClose }, { saving, note, kept, error }) {
    const mark = saving ?? session.attendance; // another device may have marked it meanwhile
    const title = t('attendance.of', { name: session.student.name });
    const all = html`
      <div class="attendance">
        <div class="segments" role="group" aria-label=${title}>
          ${ATTENDANCE.map((name) => html`
            <button type="button" aria-pressed=${mark === name ? 'true' : 'false'} disabled=${!!saving}
              onClick=${() => this.save(name)}>
              ${t(`attendance.${name}`)}</button>`)}
        </div>
        ${session.attendance_note && !note && html`<p class="quote" dir="auto">${session.attendance_note}</p>`}
        ${note ? html`
          <form class="stack" onSubmit=${this.saveNote} onInput=${() => (this.typed = true)}>
            <${Field} label=${t('attendance.note')} name="note" id=${`note-${session.id}`} maxlength="1000"
              dir="auto"
              defaultValue=${session.attendance_note ?? ''} autocomplete="off" />
            ${kept && html`<${Notice} kind="note" text=${t('form.kept', { cancel: t('action.cancel') })} />`}
            <footer>
              <button type="button" onClick=${() => this.write(false)}>${t('action.cancel')}</button>
              <button class="primary" disabled=${!!saving}>${t('action.save')}</button>
            </footer>
          </form>`
        : mark && html`<button type="button" class="link" onClick=${() => this.write(true)}>
            ${t(session.attendance_note ? 'attendance.edit_note' : 'attendance.add_note')}</button>`}
        ${error && html`<${Notice} text=${explain(error)} />`}
      </div>
    `;

    return onClose ? html`
      <${Dialog} title=${title} onClose=${onClose} onEscape=${this.escape} busy=${!!saving}>${all}<//>` : all;
  }
}
