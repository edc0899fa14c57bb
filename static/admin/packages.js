// What students book: minutes, buffer, rate. Never renamed, only retired.

import { Component, Empty, Field, Icon, Name, Notice, html, say } from '../lib/ui.js';
import { FormDialog } from '../lib/form.js';
import { api, explain, query } from '../lib/api.js';
import { minutes, money, number, t } from '../lib/i18n.js';
import { start } from '../lib/shell.js';

/**
 * @typedef {{
 *   id: string,
 *   duration_minutes: number,
 *   buffer_minutes: number,
 *   rate: string | null,
 *   currency: string,
 *   retired: boolean,
 *   active_students: number,
 * }} Package
 */
/** @typedef {import('../lib/form.js').Wrong} Wrong */
/** @typedef {import('../lib/form.js').Given} Given */
/** @typedef {{packages: Package[] | null, error: unknown, editing: Partial<Package> | null}} State */

/** @param {Given} given */
const packageOf = ({ duration_minutes, buffer_minutes, rate, currency }) => ({
  duration_minutes: Number(duration_minutes), buffer_minutes: Number(buffer_minutes),
  rate: rate?.replace(',', '.') ?? null, currency: currency?.toUpperCase(),
});

/** A rate and its currency are one thing. @param {Record<string, unknown>} shown @param {Record<string, unknown>} given */
function changeOf(shown, given) {
  const priced = given.rate !== shown.rate || given.currency !== shown.currency;
  /** @param {[string, unknown]} entry */
  const changed = ([name, value]) => value !== shown[name] || (priced && ['rate', 'currency'].includes(name));
  return Object.fromEntries(Object.entries(given).filter(changed));
}

/** @extends {Component<{me: import('../types').Me}, State>} */
class PackagesPage extends Component {
  /** @type {State} */
  state = { packages: null, error: null, editing: null };

  turn = 0;

  componentDidMount() {
    this.load();
  }

  load = async () => {
    const turn = ++this.turn;

    this.setState({ error: null });
    try {
      const { packages } = await api('GET', '/api/admin/packages');
      if (turn === this.turn) this.setState({ packages });
    } catch (error) {
      if (turn === this.turn) this.fail(error);
    }
  };

  /** What was asked for may stand far below where it is told. @param {unknown} error */
  fail(error) {
    this.setState({ error }, () => document.querySelector('main > .notice')?.scrollIntoView({ block: 'center' }));
  }

  /** @param {Given} given @param {Given} shown */
  save = async (given, shown) => {
    const id = this.state.editing?.id;

    // Also where nothing differs: to save a package prices those of its classes that have no rate.
    if (id) await api('PATCH', '/api/admin/packages', { id, ...changeOf(packageOf(shown), packageOf(given)) });
    else await api('POST', '/api/admin/packages', { name: given.name, ...packageOf(given) });
    this.setState({ editing: null });
    say(t('packages.saved'));
    document.dispatchEvent(new Event('attention'));
    this.load();
  };

  /** What may have been saved after all is shown. @param {boolean} failed */
  closed = (failed) => {
    this.setState({ editing: null });
    if (failed) this.load();
  };

  /** @param {Package} row */
  retire = async ({ id, retired }) => {
    this.setState({ error: null });
    try {
      await api('PATCH', '/api/admin/packages', { id, retired: !retired });
      this.load();
    } catch (error) {
      this.fail(error);
    }
  };

  /** @param {{me: import('../types').Me}} props @param {State} state */
  render({ me }, { packages, error, editing }) {
    return html`
      <div class="head">
        <h1>${t('nav.packages')}</h1>
        <div class="tools"><button type="button" class="primary" onClick=${() => this.setState({ editing: {} })}>
          <${Icon} name="add" /> ${t('packages.add')}</button></div>
      </div>
      ${error && html`<${Notice} text=${explain(error)} onRetry=${packages ? undefined : this.load} />`}
      ${!packages ? !error && html`<${Shape} />`
        : !packages.length ? html`<${Empty} title=${t('packages.none')} text=${t('packages.none_text')} />`
        : html`<${Table} rows=${packages} onEdit=${(/** @type {Package} */ p) => this.setState({ editing: p })}
          onRetire=${this.retire} />`}
      ${editing && html`<${PackageDialog} row=${editing} currency=${me.academy.currency} onSave=${this.save}
        onClose=${this.closed} />`}
    `;
  }
}

/** @param {{rows: Package[], onEdit: (p: Package) => void, onRetire: (p: Package) => void}} props */
const Table = ({ rows, onEdit, onRetire }) => html`
  <table class="people stacked">
    <thead><tr>
      <th scope="col">${t('field.name')}</th><th scope="col" class="n">${t('field.duration_minutes')}</th>
        <th scope="col" class="n">${t('field.buffer_minutes')}</th>
      <th scope="col" class="n">${t('field.rate')}</th><th scope="col" class="n">${t('people.students')}</th>
        <th scope="col"><span class="sr">${t('people.actions')}</span></th>
    </tr></thead>
    <tbody>${rows.map((row) => html`
      <tr key=${row.id} class=${row.retired ? 'off' : ''}>
        <th scope="row"><a href=${`/admin/${query({ package_id: row.id, period: 'all' })}`}>
          <${Name} text=${row.id} /></a>
          ${row.retired && html` <span class="badge cancelled">${t('packages.retired')}</span>`}</th>
        <td class="n" data-label=${t('field.duration_minutes')}>${minutes(row.duration_minutes)}</td>
        <td class="n" data-label=${t('field.buffer_minutes')}>${minutes(row.buffer_minutes)}</td>
        <td class="n" data-label=${t('field.rate')}>
          ${row.rate === null ? html`<span class="bad">${t('packages.no_rate')}</span>` : money(row.rate, row.currency)}</td>
        <td class="n" data-label=${t('people.students')}>${number(row.active_students)}</td>
        <td class="acts">
          <button type="button" class="small"
            onClick=${() => onEdit(row)}>${t('action.edit')}<span class="sr"> ${row.id}</span></button>
          <button type="button" class="small"
            onClick=${() => onRetire(row)}>
            ${t(row.retired ? 'packages.revive' : 'packages.retire')}<span class="sr"> ${row.id}</span></button>
        </td>
      </tr>`)}</tbody>
  </table>
`;

/**
 * @param {{
 *   row: Partial<Package>,
 *   currency: string,
 *   onSave: (given: Given, shown: Given) => Promise<void>,
 *   onClose: (failed: boolean) => void,
 * }} props
 */
const PackageDialog = ({ row, currency, onSave, onClose }) => html`
  <${FormDialog} title=${row.id ? t('packages.edit', { name: row.id }) : t('packages.add')} onSave=${onSave}
    onClose=${onClose}>
    ${(/** @type {Wrong} */ wrong) => html`
      ${row.id ? html`<p class="muted">${t('packages.fixed')}</p>`
        : html`<${Field} label=${t('field.name')} name="name" required maxlength="100" dir="auto" autocomplete="off"
          error=${wrong('name')} hint=${t('packages.name_hint')} />`}
      <div class="two">
        <${Field} label=${t('field.duration_minutes')} name="duration_minutes" type="number" min="1" max="1440"
          required defaultValue=${row.duration_minutes ?? 60} error=${wrong('duration_minutes')} />
        <${Field} label=${t('field.buffer_minutes')} name="buffer_minutes" type="number" min="0" max="1440" required
          defaultValue=${row.buffer_minutes ?? 10} error=${wrong('buffer_minutes')} />
        <${Field} label=${t('field.rate')} name="rate" inputmode="decimal" pattern="[0-9]{1,10}([.,][0-9]{1,2})?"
          title=${t('packages.rate_form')} dir="ltr" placeholder="10.00" defaultValue=${row.rate ?? ''}
          error=${wrong('rate')} hint=${t('packages.rate_hint')} />
        <${Field} label=${t('field.currency')} name="currency" required pattern="[A-Za-z]{3}" maxlength="3"
          dir="ltr" defaultValue=${row.currency ?? currency}
          error=${wrong('currency')} hint=${t('field.currency_hint')} />
      </div>`}
  <//>
`;

/** The shape of what comes. */
const Shape = () => html`<table class="skeleton people stacked" aria-busy="true">
  <tbody>${[1, 2, 3, 4].map(() => html`<tr><td><i></i></td></tr>`)}</tbody></table>`;
const Wait = () => html`<div class="head"><h1>${t('nav.packages')}</h1></div><${Shape} />`;

start('admin', 'packages', PackagesPage, Wait);
