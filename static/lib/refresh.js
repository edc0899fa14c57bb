// Keeps a page fresh: asks now and then while someone looks, says how it goes, comes back by itself.

import { Component, Icon, html } from './ui.js';
import { Problem, explain } from './api.js';
import { now, onJump, onTick } from './clock.js';
import { timeExact } from './format.js';
import { t } from './i18n.js';

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
    }
    this.plan();
  }

  /** @param {unknown} error */
  retryAt(error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status !== 429 && error.status < 500 && error.status !== 0) return null;
    const seconds = error.wait || WAITS[Math.min(this.failures, WAITS.length) - 1];
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

    return html`
      <div class=${error ? 'fresh failing' : 'fresh'}>
        <p role="status" class="trouble">${error && html`<${Icon} name="alert" /><span>${error}</span>`}</p>
        ${(at !== null || !error) && html`
          <p class=${at === null ? 'unknown' : 'muted'}>
            <span class="said">${t(error ? 'fresh.stale' : 'fresh.at', { time: timeExact(at ?? now()) })}</span>
            <span class="short" aria-hidden="true">${timeExact(at ?? now())}</span></p>`}
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
