// An invitation is opened: choose a password. The token stands behind the #, no server log sees it.

import { Component, Field, Mark, Notice, html, remember, render } from './lib/ui.js';
import { Problem, api, explain } from './lib/api.js';
import { t } from './lib/i18n.js';
import { Choices } from './lib/choices.js';

const token = location.hash.slice(1);
addEventListener('hashchange', () => location.reload()); // another invitation, pasted over this one

/** @typedef {{busy: boolean, error: string, field: string, dead: boolean}} State */

/** @extends {Component<{}, State>} */
class Invite extends Component {
  state = { busy: false, error: '', field: '', dead: !token };

  /** @param {SubmitEvent} event */
  submit = async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const { password, again } = Object.fromEntries(new FormData(form));

    if (password !== again) return this.refuse({ error: t('invite.differ'), field: 'again' });
    this.setState({ busy: true, error: '', field: '' });
    try {
      await api('POST', '/api/auth/accept-invite', { token, password }, { raw401: true });
      await this.enter();
    } catch (error) {
      const refused = error instanceof Problem ? error : new Problem(0);
      const dead = refused.field === 'token' || [401, 404, 409, 410].includes(refused.status);
      this.refuse({ dead, error: explain(error), field: refused.field ?? '' });
    }
  };

  /** What is wrong gets the focus: the button that had it was disabled. @param {Partial<State>} why */
  refuse(why) {
    this.setState({ busy: false, ...why }, () => {
      const main = document.querySelector('main');
      const wrong = main?.querySelector('[aria-invalid], [tabindex="-1"]') ?? main?.querySelector('button');
      if (wrong instanceof HTMLElement) wrong.focus();
    });
  }

  async enter() {
    try {
      const { account } = await api('GET', '/api/auth/me', undefined, { raw401: true });
      remember('signed_in', '1');
      location.replace(account.role === 'teacher' ? '/teacher/' : '/admin/');
    } catch {
      location.replace('/?welcome');
    }
  }

  /** @param {unknown} _ @param {State} state */
  render(_, { busy, error, field, dead }) {
    if (dead) return html`<h2 tabindex="-1">${t('invite.dead')}</h2><p>${t('invite.dead_text')}</p>
      <a class="button" href="/">${t('login.submit')}</a>`;
    return html`
      <h2>${t('invite.title')}</h2>
      <form class="stack" onSubmit=${this.submit}>
        ${error && !field && html`<${Notice} text=${error} />`}
        <${Field} label=${t('password.new')} name="password" type="password" dir="ltr" required minlength="8"
          autocomplete="new-password" hint=${t('password.hint')} error=${field === 'password' ? error : ''} />
        <${Field} label=${t('invite.again')} name="again" type="password" dir="ltr" required
          autocomplete="new-password" error=${field === 'again' ? error : ''} />
        <button class="primary" disabled=${busy}>${t('invite.submit')}</button>
      </form>
    `;
  }
}

document.title = t('invite.title');
render(
  html`
    <main><h1><${Mark} /> classclock</h1><${Invite} /></main>
    <footer><${Choices} /></footer>
  `,
  /** @type {HTMLElement} */ (document.getElementById('app')),
);
