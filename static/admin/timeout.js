// The auto-timeout by hand: how many are due, then do it, then what it did.

import { Component, Dialog, Notice, html } from '../lib/ui.js';
import { api, explain, now, query } from '../lib/api.js';
import { t } from '../lib/i18n.js';

/** @typedef {import('../types').SessionList} SessionList */
/** @typedef {{due: number | null, done: number | null, busy: boolean, error: unknown}} State */

/** Running classes past their deadline. They are few: the job ends them every few minutes. */
async function countDue() {
  let due = 0;
  let cursor = /** @type {string | null} */ ('');

  while (cursor !== null) {
    const page = /** @type {SessionList} */ (
      await api('GET', `/api/admin/teacher-sessions${query({ status: 'active', limit: 200, cursor })}`)
    );
    due += page.sessions.filter((s) => Date.parse(s.times_out_at ?? '') <= now()).length;
    cursor = page.next_cursor;
  }
  return due;
}

/** @extends {Component<{onClose: () => void, onDone: () => void}, State>} */
export class TimeoutDialog extends Component {
  /** @type {State} */
  state = { due: null, done: null, busy: false, error: null };

  componentDidMount() {
    this.count();
  }

  count = () => {
    this.setState({ error: null });
    countDue().then((due) => this.setState({ due }), (error) => this.setState({ error }));
  };

  run = async () => {
    this.setState({ busy: true, error: null });
    try {
      const { timed_out } = await api('POST', '/api/admin/auto-timeout', {}, { limit: 600_000 });
      this.setState({ busy: false, done: timed_out });
      this.props.onDone();
    } catch (error) {
      this.setState({ busy: false, error });
    }
  };

  /** @param {{onClose: () => void}} props @param {State} state */
  render({ onClose }, { due, done, busy, error }) {
    const asking = done === null && due !== null && due > 0;

    return html`
      <${Dialog} title=${t('timeout.title')} onClose=${onClose}>
        <div class="stack" aria-live="polite">
          ${error && html`<${Notice} text=${explain(error)}
            onRetry=${done === null && due === null ? this.count : undefined} />`}
          <p>${done !== null ? t('timeout.done', { n: done })
            : due !== null ? t('timeout.due', { n: due })
            : error ? '' : t('timeout.counting')}</p>
          ${asking && html`<p class="muted">${t('timeout.about')}</p>`}
          <footer>
            <button type="button" onClick=${onClose}>${t(asking ? 'action.cancel' : 'action.close')}</button>
            ${asking && html`<button type="button" class="primary" disabled=${busy}
              onClick=${this.run}>${t('timeout.run', { n: due })}</button>`}
          </footer>
        </div>
      <//>
    `;
  }
}
