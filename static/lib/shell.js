// What stands around every page of someone who is signed in, and what keeps a page fresh.

import {
  Component, Icon, Mark, Name, Notice, Pure, createRef, html, later, recall, remember, render, say, whenIdle,
} from './ui.js';
import { Problem, api, explain, now, onExpired, onJump, onTick } from './api.js';
import { currentZone, full, number, setZone, t, time, timeExact, zoneName } from './i18n.js';

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

const Choices = later('/lib/choices.js', 'Choices');
const PasswordDialog = later('/lib/password.js', 'PasswordDialog');

/** What takes longer than this is waited for with the shape of the page in sight. */
const SOON = 100;

/**
 * Finds out who is there, and lets those in whom it is for.
 * @param {'admin' | 'teacher'} role
 * @param {string} page its name in the menu
 * @param {any} Page a component that gets {me, first}: first is what Page.first() promises, if boot.js has asked;
 *   Page.Away is what it offers while the server is away
 * @param {any} [Wait] what stands in its place until it is known who is there: the page itself, with no one
 */
export async function start(role, page, Page, Wait = Page) {
  const place = /** @type {HTMLElement} */ (document.getElementById('app'));
  const name = t(/** @type {any} */ (`nav.${page}`));
  let drawn = false;
  /** @param {any} what */
  const draw = (what) => {
    if (!drawn) place.replaceChildren();
    drawn = true;
    render(what, place);
  };
  /** @param {Me | null} me @param {unknown} [first] */
  const show = (me, first) =>
    draw(html`<${Shell} me=${me} first=${first} role=${role} page=${page} Page=${Page} Wait=${Wait} />`);
  /** @param {string} error @param {() => void} onRetry */
  const refuse = (error, onRetry) =>
    draw(html`
      <main class="alone stack">
        <h1>${name}</h1><${Notice} text=${error} onRetry=${onRetry} />${Page.Away && html`<${Page.Away} />`}
      </main>`);
  const enter = async () => {
    const first = Page.first?.().catch(() => null); // the page asks again, and tells what is wrong
    const me = /** @type {Me} */ (await api('GET', '/api/auth/me', undefined, { raw401: true }));

    setZone(me.academy.time_zone);
    remember('academy', me.academy.name);
    remember('zone', me.academy.time_zone);
    onExpired(async () => {
      // Nobody has fetched it before; without it the page goes on as with any other answer that does not come.
      const { askAgain } = await import('./login.js').catch(() => {
        throw new Problem(0);
      });
      return askAgain(me.account);
    });
    document.title = `${name} · ${me.academy.name}`;
    show(me, me.account.role === role ? await first : null);
  };
  // While the server is away it is asked again now and then, as an open page asks.
  const tries = new Refresher(async () => {
    try {
      await enter();
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      location.replace(`/?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
    tries.stop();
  }, ({ error }) => refuse(error, tries.now));

  // "Back" shows a page as it was left, also to whoever comes after the one who has signed out.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted && recall('signed_in') === null) location.reload();
  });
  setZone(recall('zone') ?? 'UTC'); // as it was: who is there may not be known for a while
  // boot.js has asked long ago: mostly the answers are there, and no empty page need be drawn first.
  const empty = setTimeout(() => show(null), SOON);
  try {
    await tries.start();
  } catch (error) {
    refuse(explain(error), () => location.reload());
  } finally {
    clearTimeout(empty);
  }
}

/** @typedef {{me: Me | null, first: unknown, role: string, page: string, Page: any, Wait: any}} Props */
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
    const turn = ++this.turn;

    clearTimeout(this.timer);
    if (document.hidden || this.props.me?.account.role !== 'admin') return;
    try {
      const { total } = await api('GET', '/api/admin/attention?limit=0', undefined, { poll: true, raw401: true });
      if (turn === this.turn) this.setState({ attention: total });
    } catch {
      // The page itself says when the server is away.
    }
    if (turn === this.turn) this.timer = setTimeout(this.count, 60_000);
  };

  signOut = async () => {
    try {
      await api('POST', '/api/auth/logout', {}, { raw401: true });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) return say(explain(error));
    }
    remember('sending', null);
    remember('classes', null);
    remember('signed_in', null);
    location.assign('/');
  };

  /** The button that opened the dialog lies in the menu, which has closed. */
  passwordDone = () =>
    this.setState({ password: false }, () =>
      /** @type {HTMLElement} */ (document.querySelector('.menu summary')).focus());

  /** @param {Props} props @param {State} state */
  render({ me, first, role, page, Page, Wait }, { attention, password }) {
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
                <span class="count" aria-hidden="true" hidden=${!attention}>${attention && number(attention)}</span>
                ${attention ? html`<span class="sr">${t('nav.attention_count', { n: attention })}</span>` : null}`}
            </a>`)}
        </nav>
        ${me && html`<${WallClock} />
          <${Menu} me=${me} onPassword=${() => this.setState({ password: true })} onSignOut=${this.signOut} />`}
      </header>
      <main id="main" tabindex="-1">
        ${me && me.academy.time_zone !== currentZone() && html`<${Notice}
          text=${t('problem.zone', { zone: me.academy.time_zone })} />`}
        <${Content} of=${!me ? Wait : mine ? Page : WrongRole} me=${me} first=${first} />
      </main>
      <div id="said" role="status"></div>
      ${password && html`<${PasswordDialog} onClose=${this.passwordDone} />`}
    `;
  }

  timer = 0;
  turn = 0;
  /** @type {{current: HTMLElement | null}} */
  nav = createRef();
}

/** @typedef {{of: any, me: Me | null, first: unknown}} Below */

/** What stands below the bar, and is not drawn again with it. @extends {Pure<Below>} */
class Content extends Pure {
  /** @param {Below} props */
  render({ of: Page, me, first }) {
    return html`<${Page} me=${me} first=${first} />`;
  }
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

/** @param {PointerEvent} event */
function tellInFull({ currentTarget }) {
  /** @type {HTMLElement} */ (currentTarget).title = full(now());
}

const roomy = matchMedia('(min-width: 30.01rem)');

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
    return html`<p class="wall" onPointerEnter=${tellInFull}>
      <time>${this.shown}</time> ${roomy.matches && html`<span>${zoneName(now())}</span>`}</p>`;
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
      <${Choices} />
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

/**
 * For a link to a file: the browser downloads it, streaming; a login that has run out is renewed before.
 * @param {(error: string) => void} tell
 */
export function downloads(tell) {
  let asking = false;

  return async (/** @type {MouseEvent} */ event) => {
    const link = /** @type {HTMLAnchorElement} */ (event.currentTarget);

    if (link.dataset.ready) {
      delete link.dataset.ready;
      return;
    }
    event.preventDefault();
    if (asking || event.detail > 1) return; // a double click wants one
    asking = true;
    try {
      await api('GET', '/api/auth/me');
      link.dataset.ready = '1';
      link.click();
    } catch (error) {
      tell(explain(error));
    }
    asking = false;
  };
}

/* Keeps a page fresh: asks now and then while someone looks, says how it goes, comes back by itself. */

const WAITS = [2, 5, 10, 20, 30];

/**
 * @typedef {object} Health
 * @property {number | null} at when it last went well, in the server's time
 * @property {string} error what went wrong since
 * @property {number | null} next when it is tried again, only while it goes wrong
 */

export class Refresher {
  /**
   * @param {(poll: boolean) => Promise<void>} load
   * @param {(health: Health) => void} tell
   * @param {number} seconds between two good answers
   */
  constructor(load, tell, seconds = 30) {
    this.load = load;
    this.tell = tell;
    this.seconds = seconds;
    this.failures = 0;
    this.timer = 0;
    this.turn = 0;
    /** @type {Health} */
    this.health = UNTRIED;
  }

  start() {
    document.addEventListener('visibilitychange', this.wake);
    addEventListener('online', this.wake);
    addEventListener('pageshow', this.wake);
    this.stopJumps = onJump(this.wake);
    return this.run(false);
  }

  stop() {
    document.removeEventListener('visibilitychange', this.wake);
    removeEventListener('online', this.wake);
    removeEventListener('pageshow', this.wake);
    this.stopJumps?.();
    clearTimeout(this.timer);
    this.turn++;
  }

  wake = () => {
    if (document.hidden) clearTimeout(this.timer);
    else if (this.health.at !== null || this.failures) this.run(true);
  };

  /** A person asks. */
  now = () => this.run(false);

  /** @param {boolean} poll */
  async run(poll) {
    const turn = ++this.turn;

    clearTimeout(this.timer);
    try {
      await this.load(poll);
      if (turn !== this.turn) return;
      this.failures = 0;
      this.set({ at: now(), error: '', next: null });
    } catch (error) {
      if (turn !== this.turn) return;
      this.failures++;
      this.set({ error: explain(error), next: this.retryAt(error) });
      if (!(error instanceof Problem)) throw error; // the page's own fault, told, and for its console
    }
    this.plan();
  }

  /** @param {unknown} error */
  retryAt(error) {
    if (!(error instanceof Problem)) return null;
    if (error.status !== 429 && error.status < 500 && error.status !== 0) return null;
    // The server asks for the least it needs, whatever has failed before.
    const seconds = Math.max(error.wait, WAITS[Math.min(this.failures, WAITS.length) - 1]);
    return now() + seconds * 1000;
  }

  plan() {
    if (document.hidden) return;
    if (!this.failures) this.timer = setTimeout(() => this.run(true), this.seconds * 1000);
    else if (this.health.next) this.timer = setTimeout(() => this.run(true), this.health.next - now());
  }

  /** @param {Partial<Health>} change */
  set(change) {
    this.health = { ...this.health, ...change };
    this.tell(this.health);
  }
}

/** Before anything was tried. @type {Health} */
export const UNTRIED = { at: null, error: '', next: null };

/**
 * One line of fixed height: when it last succeeded, or what is wrong and when it is tried again.
 * @extends {Component<{health: Health, onRefresh: () => void}>}
 */
export class Freshness extends Component {
  componentDidMount() {
    this.stop = onTick(() => this.props.health.next && this.forceUpdate());
  }

  componentWillUnmount() {
    this.stop?.();
  }

  /** @param {{health: Health, onRefresh: () => void}} props */
  render({ health, onRefresh }) {
    const { at, error, next } = health;
    const left = next ? Math.max(0, Math.ceil((next - now()) / 1000)) : 0;
    // What is not known yet takes the same room, unseen.
    const shown = at === null ? '00:00:00' : timeExact(at);

    return html`
      <div class=${error ? 'fresh failing' : 'fresh'}>
        <p role="status" class="trouble">${error && html`<${Icon} name="alert" /><span>${error}</span>`}</p>
        ${(at !== null || !error) && html`
          <p class=${at === null ? 'unknown' : 'muted'}>
            <span class="said">${t(error ? 'fresh.stale' : 'fresh.at', { time: shown })}</span>
            <span class="short" aria-hidden="true">${shown}</span></p>`}
        ${next && html`<p class="muted">${t('fresh.retry', { n: left })}</p>`}
        <button type="button" class="bare" aria-label=${t('action.refresh')} title=${t('action.refresh')}
          onClick=${onRefresh}>
          <${Icon} name="refresh" />
        </button>
      </div>
    `;
  }

  /** @type {(() => void) | undefined} */
  stop;
}
