// What to choose the sessions by, and the words to search them for.

import { Component, Days, Icon, createRef, html } from '../lib/ui.js';
import { now } from '../lib/api.js';
import { isoDay, t } from '../lib/i18n.js';
import { STATUSES } from '../lib/session.js';
import { PERIODS, isBackwards } from './view.js';

/** @typedef {import('../types').Named} Named */
/** @typedef {import('./view.js').View} View */
/** @typedef {Record<'teachers' | 'students', Named[]>} People */

/**
 * @typedef {{
 *   view: View,
 *   people: People,
 *   onOpen: () => void,
 *   onChange: (change: View, quietly?: boolean) => void,
 * }} FilterProps
 */

/** @extends {Component<FilterProps, {open: boolean}>} */
export class Filters extends Component {
  /** On a narrow screen the choices wait behind a button. */
  state = { open: false };

  /** @param {FilterProps} next @param {{open: boolean}} state */
  shouldComponentUpdate(next, state) {
    return next.view !== this.props.view || next.people !== this.props.people || state.open !== this.state.open;
  }

  /** @param {string} name @param {any} choices */
  select(name, choices) {
    const { view, onChange } = this.props;

    return html`
      <label class=${`pick ${name}`}><span>${t(/** @type {any} */ (`filter.${name}`))}</span>
        <select name=${name} onChange=${(/** @type {any} */ e) => onChange({ [name]: e.target.value })}>
          <option value="" selected=${!view[name]}>${t('filter.any')}</option>
          ${choices}
        </select>
      </label>`;
  }

  /** @param {'teacher_id' | 'student_id'} name @param {Named[]} named */
  person(name, named) {
    const wanted = this.props.view[name];
    const missing = wanted && !named.some(({ id }) => String(id) === wanted);

    return this.select(name, [
      missing && html`<option value=${wanted}
        selected>${named.length ? t('filter.unknown', { n: wanted }) : '…'}</option>`,
      ...named.map(({ id, name: label }) => html`<option key=${id} value=${id}
        selected=${String(id) === wanted}>${label}</option>`),
    ]);
  }

  /** @param {any} event */
  setPeriod = ({ target: { value } }) => {
    const { view, onChange } = this.props;
    const today = isoDay(now());

    if (value === 'custom') onChange({ period: value, from: view.from || today, to: view.to || today });
    else onChange({ period: value === 'week' ? '' : value, from: '', to: '' });
  };

  /** @param {FilterProps} props @param {{open: boolean}} state */
  render({ view, people, onOpen, onChange }, { open: wanted }) {
    const open = wanted || isBackwards(view); // what is wrong is in sight
    const period = view.period ?? 'week';
    const set = Object.keys(view).filter((key) => !['session', 'limit', 'cursor', 'to'].includes(key));
    const hidden = set.filter((key) => key !== 'q').length;

    return html`
      <form class=${open ? 'filters open' : 'filters'} role="search" aria-label=${t('filter.label')}
        onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
        <div class="picks" id="picks">
          <label class="pick period"><span>${t('filter.period')}</span>
            <select name="period" onChange=${this.setPeriod}>
              ${PERIODS.map((name) => html`<option value=${name}
                selected=${name === period}>${t(`period.${name}`)}</option>`)}
            </select>
          </label>
          ${period === 'custom' && html`<${Days} from=${view.from} to=${view.to} onChange=${onChange} />`}
          ${this.select('status', STATUSES.map((name) => html`<option value=${name}
            selected=${name === view.status}>${t(`status.${name}`)}</option>`))}
          ${this.person('teacher_id', people.teachers)}
          ${this.person('student_id', people.students)}
          ${view.package_id && this.select('package_id', html`<option value=${view.package_id}
            selected>${view.package_id}</option>`)}
        </div>
        <${Search} value=${view.q ?? ''} onChange=${(/** @type {string} */ q) => onChange({ q }, true)} />
        <button type="button" class="more" aria-expanded=${open ? 'true' : 'false'} aria-controls="picks"
          onClick=${() => { onOpen(); this.setState({ open: !open }); }}>
          <${Icon} name="filter" /> ${hidden ? t('filter.more', { n: hidden }) : t('filter.button')}
        </button>
        <a class="clear" href="/admin/" hidden=${!set.length}>${t('filter.clear')}</a>
      </form>
    `;
  }
}

/**
 * Searches while you type, a breath after the last key.
 * @extends {Component<{value: string, onChange: (q: string) => void}>}
 */
class Search extends Component {
  timer = 0;
  /** @type {{current: HTMLInputElement | null}} */
  input = createRef();

  /** @param {any} event */
  type = ({ target }) => {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const q = target.value.trim();
      if (q !== this.props.value) this.props.onChange(q);
    }, 250);
  };

  /** @param {{value: string}} before */
  componentDidUpdate({ value }) {
    const input = this.input.current;
    // Back and forward change the words; a refresh never touches what is being typed.
    if (input && value !== this.props.value && document.activeElement !== input) input.value = this.props.value;
  }

  /** @param {{value: string}} props */
  render({ value }) {
    return html`
      <label class="pick search"><span>${t('filter.q')}</span>
        <input ref=${this.input} type="search" name="q" defaultValue=${value} onInput=${this.type} maxlength="100"
          autocomplete="off" placeholder=${t('filter.q_hint')} />
      </label>
    `;
  }
}
