// A form in a dialog: it saves, or says at the input what is wrong, and keeps every word typed until Cancel.

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
 * @property {(failed: boolean) => void} onClose failed: a try to save was refused, or nobody knows what became of it
 * @property {(wrong: Wrong) => any} children the inputs
 */

/** @typedef {{busy: boolean, error: unknown, kept: boolean}} State kept: Escape was pressed */

/** @extends {Component<Props, State>} */
export class FormDialog extends Component {
  state = { busy: false, error: /** @type {unknown} */ (null), kept: false };
  /** @type {{current: HTMLFormElement | null}} */
  form = createRef();
  /** @type {Given} */
  shown = {};
  changed = false;
  failed = false;
  /** The answer to a try was lost: it may have been done. */
  lost = false;

  componentDidMount() {
    this.shown = values(/** @type {HTMLFormElement} */ (this.form.current));
  }

  close = () => this.props.onClose(this.failed);

  /** Escape is pressed by mistake, or for a list of suggestions: it drops nothing that was typed. */
  escape = () => {
    if (!this.changed) return this.close();
    this.setState({ kept: true }, () => this.form.current?.querySelector('.note')?.scrollIntoView({ block: 'nearest' }));
  };

  /** @param {unknown} error */
  explain(error) {
    const again = this.lost && error instanceof Problem && error.status === 409;
    return again ? `${explain(error)} ${t('problem.last_try')}` : explain(error);
  }

  /** @param {SubmitEvent} event */
  submit = async (event) => {
    event.preventDefault();
    this.setState({ busy: true, error: null, kept: false });
    try {
      await this.props.onSave(values(/** @type {HTMLFormElement} */ (event.currentTarget)), this.shown);
      this.setState({ busy: false });
    } catch (error) {
      this.failed = true;
      if (error instanceof Problem && error.away) this.lost = true;
      this.setState({ busy: false, error }, () => {
        // The button that had the focus was disabled.
        const form = this.form.current;
        const wrong = form?.querySelector('[aria-invalid]') ?? form?.querySelector('.primary');
        if (wrong instanceof HTMLElement) wrong.focus();
      });
    }
  };

  /** @param {Props} props @param {State} state */
  render({ title, label, children }, { busy, error, kept }) {
    const field = error instanceof Problem ? error.field : undefined;
    let named = false;
    /** @type {Wrong} */
    const wrong = (name) => {
      if (name !== field) return null;
      named = true;
      return this.explain(error);
    };
    const inputs = children(wrong);

    return html`
      <${Dialog} title=${title} onClose=${this.close} onEscape=${this.escape} busy=${busy}>
        <form ref=${this.form} class="stack" onSubmit=${this.submit} onInput=${() => (this.changed = true)}>
          ${error && !named && html`<${Notice} text=${this.explain(error)} />`}
          ${inputs}
          ${kept && html`<${Notice} kind="note" text=${t('form.kept', { cancel: t('action.cancel') })} />`}
          <footer>
            <button type="button" disabled=${busy} onClick=${this.close}>${t('action.cancel')}</button>
            <button class="primary" disabled=${busy}>${label ?? t('action.save')}</button>
          </footer>
        </form>
      <//>
    `;
  }
}
