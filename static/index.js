// Signing in.

import { Mark, Notice, html, recall, remember, render } from './lib/ui.js';
import { api, explain } from './lib/api.js';
import { t } from './lib/i18n.js';
import { Choices } from './lib/choices.js';
import { LoginForm } from './lib/login.js';

const place = /** @type {HTMLElement} */ (document.getElementById('app'));

/** To the page that was asked for, if it is one of ours and fits the role. @param {any} answer */
function enter(answer) {
  const home = answer.account?.role === 'teacher' ? '/teacher/' : '/admin/';
  const next = new URLSearchParams(location.search).get('next') ?? '';

  location.replace(next.startsWith(home) ? next : home);
}

/** Some servers' answer to a login names the account, all of them know who is there. */
const done = async () => enter(await api('GET', '/api/auth/me'));

/** @param {string} problem */
function show(problem = '') {
  document.title = t('login.title');
  render(
    html`
      <main>
        <h1><${Mark} /> classclock</h1>
        ${problem && html`<${Notice} text=${problem} />`}
        ${new URLSearchParams(location.search).has('welcome') && html`<${Notice} kind="note"
          text=${t('invite.done')} />`}
        <${LoginForm} onDone=${done} />
        <p class="muted">${t('login.help')}</p>
      </main>
      <footer><${Choices} /></footer>
    `,
    place,
  );
}

show();
// Who has signed in here before may still be.
if (recall('signed_in'))
  api('GET', '/api/auth/me', undefined, { raw401: true }).then(enter, (error) => {
    if (error.away) show(explain(error));
    else remember('signed_in', null);
  });
