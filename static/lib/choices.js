// The reader's own choices, remembered: language and colours.

import { Component, html, recall, remember } from './ui.js';
import { LANGUAGES, language, t } from './i18n.js';

/** While a key goes down: what it changes in a closed list may be passed on the way to what is meant. */
let keyed = false;

/** @param {any} event */
function setLanguage({ target }) {
  if (target.value === language) return;
  remember('language', target.value);
  location.reload();
}

/** @param {KeyboardEvent} event */
function press(event) {
  if (event.key === ' ' || event.altKey) return; // it opens the list, in which what comes next is meant
  keyed = true;
  setTimeout(() => { // after what the key does to the list
    keyed = false;
    if (event.key === 'Enter') setLanguage(event);
  });
}

const LanguageChoice = () => html`
  <label class="choice">
    <span>${t('menu.language')}</span>
    <select onKeyDown=${press} onBlur=${setLanguage}
      onChange=${(/** @type {Event} */ event) => keyed || setLanguage(event)}>
      ${Object.entries(LANGUAGES).map(([tag, name]) => html`<option value=${tag} lang=${tag}
        selected=${tag === language}>${name}</option>`)}
    </select>
  </label>
`;

class ThemeChoice extends Component {
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

export const Choices = () => html`<${LanguageChoice} /><${ThemeChoice} />`;
