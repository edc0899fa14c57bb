// The sign-in form: a page of its own at /, a dialog when a login has run out.

import { Component, Dialog, Field, Notice, html, remember, render } from './ui.js';
import { Problem, api, explain } from './api.js';
import { t } from './i18n.js';

/** @typedef {{email?: string, onDone: (answer: any) => unknown}} Props done when it has been waited for */
/** @typedef {{busy: boolean, error: string}} State */

/** @extends {Component<Props, State>} */
export class LoginForm extends Component {
  state = { busy: false, error: '' };

  /** @param {SubmitEvent} event */
  submit = async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const { email, password } = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form)));
    let isIn = false;

    this.setState({ busy: true, error: '' });
    try {
      const answer = await api('POST', '/api/auth/login', { email: email.trim(), password }, { raw401: true });
      isIn = true;
      remember('signed_in', '1');
      await this.props.onDone(answer);
    } catch (error) {
      const wrong = !isIn && error instanceof Problem && [400, 401].includes(error.status);
      this.setState({ busy: false, error: wrong ? t('login.wrong') : explain(error) });
      /** @type {HTMLInputElement} */ (form.elements.namedItem('password')).select();
    }
  };

  /** @param {Props} props @param {State} state */
  render({ email }, { busy, error }) {
    return html`
      <form class="stack" onSubmit=${this.submit}>
        ${error && html`<${Notice} text=${error} />`}
        <${Field} label=${t('login.email')} name="email" type="email" id="login-email" dir="ltr"
          autocomplete="username" required defaultValue=${email} autofocus=${!email} />
        <${Field} label=${t('login.password')} name="password" type="password" id="login-password" dir="ltr"
          autocomplete="current-password" required autofocus=${!!email} />
        <button class="primary" disabled=${busy}>${busy ? t('login.busy') : t('login.submit')}</button>
      </form>
    `;
  }
}

/** @type {Promise<void> | null} */
let asking = null;

/**
 * Asks for the password over whatever the page shows, once for all that wait.
 * @param {import('../types').Me['account']} account whose page this is
 */
export function askAgain(account) {
  asking ??= ask(account).finally(() => (asking = null));
  return asking;
}

/** @param {import('../types').Me['account']} account */
function ask(account) {
  const place = document.createElement('div');

  document.body.append(place);
  return new Promise((resolve) => {
    const done = async () => {
      const me = await api('GET', '/api/auth/me', undefined, { raw401: true });

      // Somebody else's eyes: nothing of the page before may stay.
      if (me.account.id !== account.id) return location.reload();
      render(null, place);
      place.remove();
      resolve(undefined);
    };
    render(
      html`
        <${Dialog} title=${t('login.expired')}>
          <p class="lead">${t('login.expired_text')}</p>
          <${LoginForm} email=${account.email} onDone=${done} />
        <//>
      `,
      place,
    );
  });
}
