// The reader's own choices, remembered: language and colours.

import { Component, html } from './ui.js';
import { LANGUAGES, language, setLanguage, t } from './i18n.js';
import { recall, remember } from './store.js';

/** The sign of the house: a clock at class time. */
export const Mark = () => html`
  <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <circle cx="12" cy="12" r="9.5" /><path d="M12 6.5V12l3.8 2.4" />
  </svg>
`;

export const LanguageChoice = () => html`
  <label class="choice">
    <span>${t('menu.language')}</span>
    <select onChange=${(/** @type {any} */ e) => setLanguage(e.target.value)}>
      ${Object.entries(LANGUAGES).map(([tag, name]) => html`<option value=${tag} lang=${tag}
        selected=${tag === language}>${name}</option>`)}
    </select>
  </label>
`;

export class ThemeChoice extends Component {
  /** @param {any} event */
  choose = ({ target }) => {
    remember('theme', target.value === 'system' ? null : target.value);
    document.dispatchEvent(new Event('theme'));
  };

  render() {
    const theme = recall('theme') ?? 'system';

    return html`
      <label class="choice">
        <span>${t('menu.theme')}</span>
        <select onChange=${this.choose}>
          ${/** @type {const} */ (['system', 'light', 'dark']).map((name) => html`
            <option value=${name} selected=${name === theme}>${t(`menu.theme.${name}`)}</option>`)}
        </select>
      </label>
    `;
  }
}
