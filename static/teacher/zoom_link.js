// The Zoom link of a class, as a teacher pastes it.

import { Component, Field, createRef, html } from '../lib/ui.js';
import { explain } from '../lib/api.js';
import { t } from '../lib/i18n.js';
import { linkIn } from '../lib/link.js';

/** Is it the link that the server refused? @param {any} error */
export const isAtLink = (error) => error?.field === 'zoom_url';

/**
 * @typedef {object} Props
 * @property {string} id of the input
 * @property {string} link to begin with
 * @property {string} [hint]
 * @property {boolean} asked somebody opened it: the keyboard goes there
 * @property {boolean} busy
 * @property {unknown} error of the last try
 * @property {(link: string) => void} onLink
 * @property {() => void} onInput
 * @property {(() => void) | false} onCancel
 * @property {any} children of the button that takes the link
 */

/** @extends {Component<Props>} */
export class LinkForm extends Component {
  /** @type {{current: HTMLFormElement | null}} */
  form = createRef();

  get input() {
    return /** @type {HTMLInputElement} */ (this.form.current?.elements.namedItem('zoom_url'));
  }

  componentDidMount() {
    if (!this.props.asked) return;
    this.input.focus();
    this.input.select();
  }

  /** @param {Props} before */
  componentDidUpdate({ error }) {
    if (error !== this.props.error && isAtLink(this.props.error)) this.input.focus();
  }

  /** What is taken is shown: a refusal speaks of it. @param {SubmitEvent} event */
  submit = (event) => {
    event.preventDefault();
    this.input.value = linkIn(this.input.value);
    this.props.onLink(this.input.value);
  };

  /** @param {Props} props */
  render({ id, link, hint, busy, error, onInput, onCancel, children }) {
    return html`
      <form ref=${this.form} class="stack" onSubmit=${this.submit}>
        <${Field} label=${t('send.zoom_url')} name="zoom_url" id=${id} type="text" inputmode="url" required
          dir="ltr" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="https://zoom.us/j/…"
          defaultValue=${link} hint=${hint} error=${isAtLink(error) ? explain(error) : null} onInput=${onInput} />
        <div class="buttons">
          <button class="primary" disabled=${busy}>${children}</button>
          ${onCancel && html`<button type="button" onClick=${onCancel}>${t('action.cancel')}</button>`}
        </div>
      </form>
    `;
  }
}
