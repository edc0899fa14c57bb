// The academy's own settings.

import { Component, Field, Notice, html, values } from '../lib/ui.js';
import { Problem, amend, api, explain, now } from '../lib/api.js';
import { locale, t } from '../lib/i18n.js';
import { start } from '../lib/shell.js';

/**
 * @typedef {{
 *   name: string,
 *   time_zone: string,
 *   currency: string,
 *   default_duration_minutes: number,
 *   default_buffer_minutes: number,
 *   link_hours: number,
 * }} Settings
 */
/** @typedef {{settings: Settings | null, zone: string, busy: boolean, saved: boolean, error: unknown}} State */

const NUMBERS = /** @type {const} */ (['default_duration_minutes', 'default_buffer_minutes', 'link_hours']);

/** To choose from; browsers of some years ago cannot tell, and any zone can be typed. @type {string[]} */
const ZONES = /** @type {any} */ (Intl).supportedValuesOf?.('timeZone') ?? [];

/** What a clock shows there now, or nothing for a zone that is none. @param {string} zone */
function timeIn(zone) {
  try {
    return new Intl.DateTimeFormat(locale, {
      timeZone: zone, weekday: 'long', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'long',
    }).format(now());
  } catch {
    return '';
  }
}

/** @extends {Component<{}, State>} */
class SettingsPage extends Component {
  /** @type {State} */
  state = { settings: null, zone: '', busy: false, saved: false, error: null };

  componentDidMount() {
    this.load();
  }

  load = async () => {
    this.setState({ error: null });
    try {
      const settings = /** @type {Settings} */ (await api('GET', '/api/admin/settings'));
      this.setState({ settings, zone: settings.time_zone });
    } catch (error) {
      this.setState({ error });
    }
  };

  /** @param {SubmitEvent} event */
  submit = async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const before = /** @type {Settings} */ (this.state.settings);
    const given = /** @type {any} */ (values(form));

    for (const name of NUMBERS) given[name] = Number(given[name]);
    given.currency = given.currency.toUpperCase();
    this.setState({ busy: true, saved: false, error: null });
    try {
      const made = await amend('/api/admin/settings', {}, before, given);
      // The bar and every time on the page follow the new name and zone.
      if (made && (made.time_zone !== before.time_zone || made.name !== before.name)) return location.reload();
      // What the form says is what it has shown, also where somebody else has changed more meanwhile.
      this.setState({ settings: given, busy: false, saved: true });
    } catch (error) {
      this.setState({ busy: false, error });
      // What is wrong may stand far above the button.
      const wrong = error instanceof Problem && error.field && form.elements.namedItem(error.field);
      if (wrong instanceof HTMLInputElement) wrong.focus();
    }
  };

  /** @param {unknown} _ @param {State} state */
  render(_, { settings, zone, busy, saved, error }) {
    const field = error instanceof Problem ? error.field : undefined;
    /** @param {string} name */
    const wrong = (name) => (field === name ? explain(error) : null);

    return html`
      <div class="head"><h1>${t('nav.settings')}</h1></div>
      ${error && !field && html`<${Notice} text=${explain(error)} onRetry=${settings ? undefined : this.load} />`}
      ${!settings ? !error && html`<${Shape} />` : html`
        <form class="settings stack" onSubmit=${this.submit} onInput=${() => this.setState({ saved: false })}>
          <${Field} label=${t('settings.name')} name="name" required maxlength="200" dir="auto" autocomplete="off"
            defaultValue=${settings.name} error=${wrong('name')} />
          <${Field} label=${t('settings.time_zone')} name="time_zone" required maxlength="64" dir="ltr"
            autocomplete="off" list="zones" defaultValue=${settings.time_zone}
            error=${wrong('time_zone')}
            hint=${timeIn(zone) ? t('settings.there', { time: timeIn(zone) }) : t('settings.zone_hint')}
            onInput=${(/** @type {any} */ e) =>
              this.setState({ zone: e.target.value.trim(), error: wrong('time_zone') ? null : error })} />
          <datalist id="zones">
            ${ZONES.map((name) => html`<option value=${name}></option>`)}</datalist>
          ${zone !== settings.time_zone && html`<${Notice} kind="note" text=${t('settings.zone_change')} />`}
          <${Field} label=${t('field.currency')} name="currency" required pattern="[A-Za-z]{3}" maxlength="3"
            dir="ltr" defaultValue=${settings.currency}
            error=${wrong('currency')} hint=${t('field.currency_hint')} />
          <h2>${t('settings.defaults')}</h2>
          <p class="muted">${t('settings.defaults_text')}</p>
          <div class="two">
            <${Field} label=${t('field.duration_minutes')} name="default_duration_minutes" type="number" min="1"
              max="1440" required defaultValue=${settings.default_duration_minutes}
              error=${wrong('default_duration_minutes')} />
            <${Field} label=${t('field.buffer_minutes')} name="default_buffer_minutes" type="number" min="0"
              max="1440" required defaultValue=${settings.default_buffer_minutes}
              error=${wrong('default_buffer_minutes')} />
            <${Field} label=${t('settings.link_hours')} name="link_hours" type="number" min="1" max="168" required
              defaultValue=${settings.link_hours} error=${wrong('link_hours')}
              hint=${t('settings.link_hours_hint')} />
          </div>
          <div class="save"><button class="primary" disabled=${busy}>${t('action.save')}</button>
            <span role="status">${saved ? t('settings.saved') : ''}</span></div>
        </form>`}
    `;
  }
}

/** The shape of what comes. */
const Shape = () => html`<div class="settings skeleton"
  aria-busy="true">${[1, 2, 3, 4].map(() => html`<i></i>`)}</div>`;
const Wait = () => html`<div class="head"><h1>${t('nav.settings')}</h1></div><${Shape} />`;

start('admin', 'settings', SettingsPage, Wait);
