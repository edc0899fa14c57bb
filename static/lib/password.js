// Changing one's own password.

import { Field, html, say } from './ui.js';
import { api } from './api.js';
import { FormDialog } from './form.js';
import { t } from './i18n.js';

/** @param {{onClose: () => void}} props */
export const PasswordDialog = ({ onClose }) => {
  /** @param {Record<string, unknown>} given */
  const save = async (given) => {
    await api('POST', '/api/auth/password', given);
    say(t('password.done'));
    onClose();
  };

  return html`
    <${FormDialog} title=${t('menu.password')} onSave=${save} onClose=${onClose}>
      ${(/** @type {import('./form.js').Wrong} */ wrong) => html`
        <${Field} label=${t('password.current')} name="current_password" type="password" dir="ltr" required
          autocomplete="current-password" error=${wrong('current_password')} />
        <${Field} label=${t('password.new')} name="new_password" type="password" dir="ltr" required minlength="8"
          autocomplete="new-password" hint=${t('password.hint')} error=${wrong('new_password')} />
        <p class="muted">${t('password.others')}</p>`}
    <//>
  `;
};
