// Was the student there? One tap, and a note if there is something to say.

import { Component, Field, Notice, html, say, values } from '../lib/ui.js';
import { api, explain } from '../lib/api.js';
import { t } from '../lib/i18n.js';
import { ATTENDANCE } from '../lib/session.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {import('../types').Attendance} Mark */
/** @typedef {{session: Session, onDone: (session: Session) => void}} Props */
/** @typedef {{mark: Mark | null, note: boolean, busy: boolean, error: unknown}} State */

/** @extends {Component<Props, State>} */
export class Attendance extends Component {
  /** @type {State} */
  state = { mark: this.props.session.attendance ?? null, note: false, busy: false, error: null };

  /**
   * Whether it is saved. The note being written stays as it is: only its own button is done with it.
   * @param {Mark} attendance @param {string} [note] the one that stands, if none is given
   */
  async save(attendance, note = this.props.session.attendance_note ?? '') {
    const { session, onDone } = this.props;
    const before = this.state.mark;

    this.setState({ mark: attendance, busy: true, error: null });
    try {
      await api('POST', '/api/teacher/attendance', { session_id: session.id, attendance, note });
      this.setState({ busy: false });
      say(t('attendance.saved'));
      onDone({ ...session, attendance, attendance_note: note });
      return true;
    } catch (error) {
      this.setState({ mark: before, busy: false, error });
      return false;
    }
  }

  /** @param {SubmitEvent} event */
  saveNote = async (event) => {
    event.preventDefault();
    const { note } = values(/** @type {HTMLFormElement} */ (event.currentTarget));
    if (await this.save(this.state.mark ?? 'present', note ?? '')) this.setState({ note: false });
  };

  /** @param {Props} props @param {State} state */
  render({ session }, { mark, note, busy, error }) {
    return html`
      <div class="attendance">
        <div class="segments" role="group" aria-label=${t('attendance.of', { name: session.student.name })}>
          ${ATTENDANCE.map((name) => html`
            <button type="button" aria-pressed=${mark === name ? 'true' : 'false'} disabled=${busy}
              onClick=${() => this.save(name)}>
              ${t(`attendance.${name}`)}</button>`)}
        </div>
        ${session.attendance_note && !note && html`<p class="quote" dir="auto">${session.attendance_note}</p>`}
        ${note ? html`
          <form class="stack" onSubmit=${this.saveNote}>
            <${Field} label=${t('attendance.note')} name="note" id=${`note-${session.id}`} maxlength="1000"
              dir="auto"
              defaultValue=${session.attendance_note ?? ''} autocomplete="off" />
            <footer>
              <button type="button" onClick=${() => this.setState({ note: false })}>${t('action.cancel')}</button>
              <button class="primary" disabled=${busy}>${t('action.save')}</button>
            </footer>
          </form>`
        : mark && html`<button type="button" class="link" onClick=${() => this.setState({ note: true })}>
            ${t(session.attendance_note ? 'attendance.edit_note' : 'attendance.add_note')}</button>`}
        ${error && html`<${Notice} text=${explain(error)} />`}
      </div>
    `;
  }
}
