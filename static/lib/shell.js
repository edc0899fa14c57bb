// What stands around every page of someone who is signed in.

import { Component, Field, Icon, Name, Notice, html, render, say } from './ui.js';
import { Problem, api, explain } from './api.js';
import { t } from './i18n.js';
import { LanguageChoice, Mark, ThemeChoice } from './choices.js';
import { now, onTick } from './clock.js';
import { FormDialog } from './form.js';
import { setZone, time, zoneName, full, number } from './format.js';
import { askAgainFor } from './login.js';
import { remember } from './store.js';

/** @typedef {import('../types').Me} Me */

const ADMIN_PAGES = /** @type {const} */ ({
  sessions: '/admin/',
  attention: '/admin/attention',
  people: '/admin/people',
  packages: '/admin/packages',
  trends: '/admin/trends',
  settings: '/admin/settings',
});
const TEACHER_PAGES = /** @type {const} */ ({ today: '/teacher/', history: '/teacher/?view=history' });

/**
 * Finds out who is there and shows the page to those it is for.
 * @param {'admin' | 'teacher'} role
 * @param {string} page its name in the menu
 * @param {any} Page a component that gets {me}
 */
export async function start(role, page, Page) {
  const place = /** @type {HTMLElement} */ (document.getElementById('app'));
  let me;

  try {
    me = /** @type {Me} */ (await api('GET', '/api/auth/me', undefined, { raw401: true }));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) {
      location.replace(`/?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    place.replaceChildren();
    render(html`<main class="alone"><${Notice} text=${explain(error)} onRetry=${() => location.reload()} /></main>`, place);
    return;
  }
  setZone(me.academy.time_zone);
  askAgainFor(me.account);
  document.title = `${t(/** @type {any} */ (`nav.${page}`))} · ${me.academy.name}`;
  place.replaceChildren();
  render(html`<${Shell} me=${me} role=${role} page=${page} Page=${Page} />`, place);
}

/** @typedef {{me: Me, role: string, page: string, Page: any}} Props */
/** @typedef {{attention: number | null, password: boolean}} State */

/** @extends {Component<Props, State>} */
class Shell extends Component {
  state = { attention: null, password: false };

  componentDidMount() {
    if (this.props.me.account.role === 'admin') this.count();
    document.addEventListener('visibilitychange', this.count);
    document.addEventListener('attention', this.count);
  }

  /** How much needs attention, asked once a minute while someone looks. */
  count = async () => {
    clearTimeout(this.timer);
    if (document.hidden || this.props.me.account.role !== 'admin') return;
    try {
      const { total } = await api('GET', '/api/admin/attention', undefined, { poll: true, raw401: true });
      this.setState({ attention: total });
    } catch {
      // The page itself says when the server is away.
    }
    this.timer = setTimeout(this.count, 60_000);
  };

  signOut = async () => {
    try {
      await api('POST', '/api/auth/logout', {}, { raw401: true });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) return say(explain(error));
    }
    remember('sending', null);
    location.assign('/');
  };

  /** @param {Props} props @param {State} state */
  render({ me, role, page, Page }, { attention, password }) {
    const mine = me.account.role === role;
    const pages = me.account.role === 'admin' ? ADMIN_PAGES : TEACHER_PAGES;

    return html`
      <a class="skip" href="#main">${t('nav.skip')}</a>
      <header class="bar">
        <a class="brand" href=${Object.values(pages)[0]}><${Mark} /><span><${Name} text=${me.academy.name} /></span></a>
        <nav aria-label=${t('nav.label')}>
          ${Object.entries(pages).map(([name, href]) => html`
            <a href=${href} aria-current=${name === page ? 'page' : undefined}>
              ${t(/** @type {any} */ (`nav.${name}`))}
              ${name === 'attention' && html`
                <span class="count" aria-hidden="true" hidden=${!attention}>${number(attention ?? 0)}</span>
                ${attention ? html`<span class="sr">${t('nav.attention_count', { n: attention })}</span>` : null}`}
            </a>`)}
        </nav>
        <${WallClock} />
        <${Menu} me=${me} onPassword=${() => this.setState({ password: true })} onSignOut=${this.signOut} />
      </header>
      <main id="main" tabindex="-1">
        ${mine ? html`<${Page} me=${me} />` : html`<${WrongRole} me=${me} />`}
      </main>
      <div id="said" role="status"></div>
      ${password && html`<${PasswordDialog} onClose=${() => this.setState({ password: false })} />`}
    `;
  }

  timer = 0;
}

/** @param {{me: Me}} props */
const WrongRole = ({ me }) => html`
  <div class="empty">
    <h1>${t('role.title')}</h1>
    <p>${t(me.account.role === 'admin' ? 'role.teachers_only' : 'role.admins_only', { name: me.account.name })}</p>
    <a class="button primary" href=${me.account.role === 'admin' ? '/admin/' : '/teacher/'}>${t('role.own_page')}</a>
  </div>
`;

/** The academy's time, by the server's clock, with its zone named. */
class WallClock extends Component {
  componentDidMount() {
    this.stop = onTick(() => {
      if (time(now()) !== this.shown) this.forceUpdate();
    });
  }

  componentWillUnmount() {
    this.stop?.();
  }

  render() {
    this.shown = time(now());
    return html`<p class="wall" title=${full(now())}><time>${this.shown}</time> <span>${zoneName(now())}</span></p>`;
  }

  shown = '';
  /** @type {(() => void) | undefined} */
  stop;
}

/** @param {{me: Me, onPassword: () => void, onSignOut: () => void}} props */
const Menu = ({ me, onPassword, onSignOut }) => html`
  <details class="menu" onKeyDown=${closeOnEscape} onFocusOut=${closeOnLeave}>
    <summary aria-label=${t('menu.label', { name: me.account.name })}><${Icon} name="user" /></summary>
    <div>
      <p><strong><${Name} text=${me.account.name} /></strong><span class="muted" dir="ltr">${me.account.email}</span></p>
      <${LanguageChoice} /><${ThemeChoice} />
      <button type="button" onClick=${onPassword}>${t('menu.password')}</button>
      <button type="button" onClick=${onSignOut}>${t('menu.sign_out')}</button>
    </div>
  </details>
`;

/** @param {KeyboardEvent} event */
function closeOnEscape(event) {
  const details = /** @type {HTMLDetailsElement} */ (event.currentTarget);
  if (event.key !== 'Escape' || !details.open) return;
  details.open = false;
  details.querySelector('summary')?.focus();
}

/** @param {FocusEvent} event */
function closeOnLeave(event) {
  const details = /** @type {HTMLDetailsElement} */ (event.currentTarget);
  if (event.relatedTarget && !details.contains(/** @type {Node} */ (event.relatedTarget))) details.open = false;
}

document.addEventListener('pointerdown', (event) => {
  for (const details of document.querySelectorAll('details.menu[open]'))
    if (!details.contains(/** @type {Node} */ (event.target))) details.removeAttribute('open');
});

/** @param {{onClose: () => void}} props */
const PasswordDialog = ({ onClose }) => {
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
        <${Field} label=${t('password.new')} name="new_password" type="password" dir="ltr" required minlength="8" maxlength="256"
          autocomplete="new-password" hint=${t('password.hint')} error=${wrong('new_password')} />
        <p class="muted">${t('password.others')}</p>`}
    <//>
  `;
};
