// What stands around every page of someone who is signed in.

import { Component, Icon, Name, Notice, createRef, html, later, render, say, whenIdle } from './ui.js';
import { Problem, api, explain, onExpired } from './api.js';
import { t } from './i18n.js';
import { LanguageChoice, Mark, ThemeChoice } from './choices.js';
import { now, onTick } from './clock.js';
import { setZone, time, zoneName, full, number } from './format.js';
import { recall, remember } from './store.js';

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

const PasswordDialog = later(async () => (await import('./password.js')).PasswordDialog);

/**
 * Shows the shape of the page at once, finds out who is there, and lets those in whom it is for.
 * @param {'admin' | 'teacher'} role
 * @param {string} page its name in the menu
 * @param {any} Page a component that gets {me}
 * @param {any} [Wait] what stands in its place until it is known who is there: the page itself, with no one
 */
export async function start(role, page, Page, Wait = Page) {
  const place = /** @type {HTMLElement} */ (document.getElementById('app'));
  let drawn = false;
  /** @param {Me | null} me */
  const show = (me) => {
    if (!drawn) place.replaceChildren();
    drawn = true;
    render(html`<${Shell} me=${me} role=${role} page=${page} Page=${Page} Wait=${Wait} />`, place);
  };

  // boot.js has asked long ago: mostly the answer is there, and no empty page need be drawn first.
  const empty = setTimeout(() => show(null), 20);
  try {
    const me = /** @type {Me} */ (
      await api('GET', '/api/auth/me', undefined, { raw401: true }).finally(() => clearTimeout(empty))
    );

    setZone(me.academy.time_zone);
    remember('academy', me.academy.name);
    onExpired(async () => (await import('./login.js')).askAgain(me.account));
    document.title = `${t(/** @type {any} */ (`nav.${page}`))} · ${me.academy.name}`;
    show(me);
  } catch (error) {
    if (error instanceof Problem && error.status === 401)
      location.replace(`/?next=${encodeURIComponent(location.pathname + location.search)}`);
    else render(html`<main class="alone">
      <${Notice} text=${explain(error)} onRetry=${() => location.reload()} /></main>`, place);
  }
}

/** @typedef {{me: Me | null, role: string, page: string, Page: any, Wait: any}} Props */
/** @typedef {{attention: number | null, password: boolean}} State */

/** @extends {Component<Props, State>} */
class Shell extends Component {
  state = { attention: null, password: false };

  componentDidMount() {
    document.addEventListener('visibilitychange', this.count);
    document.addEventListener('attention', this.count);
    if (this.props.me) whenIdle(this.count);
    requestAnimationFrame(() => this.showCurrent());
  }

  /** @param {Props} before */
  componentDidUpdate({ me }) {
    if (!me && this.props.me) whenIdle(this.count);
  }

  /** On a narrow screen the menu is a strip: the page one is on is brought into it. */
  showCurrent() {
    const nav = this.nav.current;
    const here = nav?.querySelector('[aria-current]')?.getBoundingClientRect();
    const strip = nav?.getBoundingClientRect();

    if (!nav || !here || !strip) return;
    if (here.right > strip.right || here.left < strip.left)
      nav.scrollLeft += here.left + here.width / 2 - strip.left - strip.width / 2;
  }

  /** How much needs attention, asked once a minute while someone looks. */
  count = async () => {
    clearTimeout(this.timer);
    if (document.hidden || this.props.me?.account.role !== 'admin') return;
    try {
      const { total } = await api('GET', '/api/admin/attention?limit=0', undefined, { poll: true, raw401: true });
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
    remember('signed_in', null);
    location.assign('/');
  };

  /** @param {Props} props @param {State} state */
  render({ me, role, page, Page, Wait }, { attention, password }) {
    const mine = !me || me.account.role === role;
    const pages = (me?.account.role ?? role) === 'admin' ? ADMIN_PAGES : TEACHER_PAGES;

    return html`
      <a class="skip" href="#main">${t('nav.skip')}</a>
      <header class="bar">
        <a class="brand" href=${Object.values(pages)[0]}><${Mark} /><span>
          <${Name} text=${me?.academy.name ?? recall('academy') ?? 'classclock'} /></span></a>
        <nav ref=${this.nav} aria-label=${t('nav.label')}>
          ${Object.entries(pages).map(([name, href]) => html`
            <a href=${href} aria-current=${name === page ? 'page' : undefined}>
              ${t(/** @type {any} */ (`nav.${name}`))}
              ${name === 'attention' && html`
                <span class="count" aria-hidden="true" hidden=${!attention}>${number(attention ?? 0)}</span>
                ${attention ? html`<span class="sr">${t('nav.attention_count', { n: attention })}</span>` : null}`}
            </a>`)}
        </nav>
        ${me && html`<${WallClock} />
          <${Menu} me=${me} onPassword=${() => this.setState({ password: true })} onSignOut=${this.signOut} />`}
      </header>
      <main id="main" tabindex="-1">
        <${!me ? Wait : mine ? Page : WrongRole} me=${me} />
      </main>
      <div id="said" role="status"></div>
      ${password && html`<${PasswordDialog} onClose=${() => this.setState({ password: false })} />`}
    `;
  }

  timer = 0;
  /** @type {{current: HTMLElement | null}} */
  nav = createRef();
}

/** @param {{me: Me}} props */
const WrongRole = ({ me }) => html`
  <div class="empty">
    <h1>${t('role.title')}</h1>
    <p>${t(me.account.role === 'admin' ? 'role.teachers_only' : 'role.admins_only', { name: me.account.name })}</p>
    <a class="button primary"
      href=${me.account.role === 'admin' ? '/admin/' : '/teacher/'}>${t('role.own_page')}</a>
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
    return html`<p class="wall" title=${full(now())}>
      <time>${this.shown}</time> <span>${zoneName(now())}</span></p>`;
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
      <p><strong><${Name} text=${me.account.name} /></strong>
        <span class="muted" dir="ltr">${me.account.email}</span></p>
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
