// A form in a dialog: it saves, or says at the input what is wrong, and keeps every word typed.

import { Component, Dialog, Notice, createRef, html, values } from './ui.js';
import { Problem, explain } from './api.js';
import { t } from './i18n.js';

/** @typedef {(name: string) => string | null} Wrong what is wrong with an input */
/** @typedef {Record<string, string | null>} Given the values of a form */
/**
 * @typedef {object} Props
 * @property {string} title
 * @property {string} [label] of the button that saves
 * @property {(given: Given, shown: Given) => Promise<void>} onSave throws a Problem to be shown;
 * shown is what the form said when it was opened
 * @property {() => void} onClose
 * @property {(wrong: Wrong) => any} children the inputs
 */

/** @extends {Component<Props, {busy: boolean, error: unknown}>} */
export class FormDialog extends Component {
  state = { busy: false, error: /** @type {unknown} */ (null) };
  /** @type {{current: HTMLFormElement | null}} */
  form = createRef();
  /** @type {Given} */
  shown = {};

  componentDidMount() {
    this.shown = values(/** @type {HTMLFormElement} */ (this.form.current));
  }

  /** @param {SubmitEvent} event */
  submit = async (event) => {
    event.preventDefault();
    this.setState({ busy: true, error: null });
    try {
      await this.props.onSave(values(/** @type {HTMLFormElement} */ (event.currentTarget)), this.shown);
      this.setState({ busy: false });
    } catch (error) {
      this.setState({ busy: false, error }, () => {
        const wrong = this.form.current?.querySelector('[aria-invalid]');
        if (wrong instanceof HTMLElement) wrong.focus();
      });
    }
  };

  /** @param {Props} props @param {{busy: boolean, error: unknown}} state */
  render({ title, label, onClose, children }, { busy, error }) {
    const field = error instanceof Problem ? error.field : undefined;
    let named = false;
    /** @type {Wrong} */
    const wrong = (name) => {
      if (name !== field) return null;
      named = true;
      return explain(error);
    };
    const inputs = children(wrong);

    return html`
      <${Dialog} title=${title} onClose=${onClose}>
        <form ref=${this.form} class="stack" onSubmit=${this.submit}>
          ${error && !named && html`<${Notice} text=${explain(error)} />`}
          ${inputs}
          <footer>
            <button type="button" onClick=${onClose}>${t('action.cancel')}</button>
            <button class="primary" disabled=${busy}>${label ?? t('action.save')}</button>
          </footer>
        </form>
      <//>
    `;
  }
}
