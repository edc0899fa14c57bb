// How the academy does: by day, by teacher, by hour, and what pay is made from.

import { Component, Days, Empty, Icon, Name, Notice, html, say } from '../lib/ui.js';
import { Problem, api, explain, now, query } from '../lib/api.js';
import {
  addDays, backwards, calendarDay, isoDay, lastMonth, minutes, money, month, number, share, shortDay, t, weekdayName,
  zoneName,
} from '../lib/i18n.js';
import { downloads, start } from '../lib/shell.js';
import { HeatPlot, Plot, dayMark, dayName, dayX, span } from './chart.js';

/** @typedef {import('../types').Named} Named */
/** @typedef {{classes: number, minutes: number, timeouts: number, missed: number}} Counts */
/**
 * @typedef {{
 *   month: string,
 *   teacher: Named,
 *   currency: string,
 *   classes: number,
 *   minutes: number,
 *   estimated_minutes: number,
 *   sum_rate: string,
 *   without_rate?: number,
 * }} Pay
 */
/**
 * @typedef {object} Trends
 * @property {string} from
 * @property {string} to
 * @property {(Counts & {day: string})[]} days
 * @property {(Counts & {teacher: Named})[]} teachers
 * @property {{weekday: number, hour: number, classes: number}[]} hours
 * @property {Pay[]} pay
 * @property {boolean} more there are more rows than these
 */
/** @typedef {{period: string, from: string, to: string, trends: Trends | null, error: unknown}} State */

const PERIODS = /** @type {const} */ (['days30', 'month', 'last_month', 'days90', 'custom']);

/** More bars than these are no picture; the table has them all. */
const CHART_TEACHERS = 20;

/** @extends {Component<{me: import('../types').Me}, State>} */
class TrendsPage extends Component {
  /** @type {State} */
  state = { ...this.address(), trends: null, error: null };
  turn = 0;
  exportCsv = downloads(say);

  componentDidMount() {
    addEventListener('popstate', () => this.setState(this.address(), this.load));
    addEventListener('beforeprint', () => {
      for (const details of document.querySelectorAll('main details')) details.setAttribute('open', '');
    });
    this.load();
  }

  address() {
    const given = new URLSearchParams(location.search);
    const from = given.get('from') ?? '';
    const to = given.get('to') ?? '';
    const period = given.get('period') ?? (from ? 'custom' : 'days30');
    return { period, ...days(period, from, to) };
  }

  load = async () => {
    const turn = ++this.turn;
    const { from, to } = this.state;

    this.setState({ trends: null, error: null }); // nothing of other days stays beside these
    if (backwards({ from, to })) return;
    try {
      const trends = await api('GET', `/api/admin/trends${query({ from, to })}`);
      if (turn === this.turn) this.setState({ trends });
    } catch (error) {
      if (turn === this.turn) this.setState({ error });
    }
  };

  /** @param {Partial<State>} change */
  choose(change) {
    const { period, from, to } = { ...this.state, ...change };
    const view = { period, ...days(period, from, to) };

    const named = { period: period === 'days30' ? '' : period };
    const shown = period === 'custom' ? { from: view.from, to: view.to } : named;

    history.pushState(null, '', `/admin/trends${query(shown)}`);
    this.setState(view, this.load);
  }

  /** @param {unknown} _ @param {State} state */
  render(_, { period, from, to, trends, error }) {
    const dated = error instanceof Problem && error.status === 400;
    const wrong = backwards({ from, to });

    return html`
      <div class="head">
        <h1>${t('nav.trends')}</h1>
        <div class="tools"><button type="button" onClick=${() => print()}>
          <${Icon} name="print" /> ${t('trends.print')}</button></div>
      </div>
      <form class="filters" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
        <label class="pick"><span>${t('filter.period')}</span>
          <select onChange=${(/** @type {any} */ e) => this.choose({ period: e.target.value })}>
            ${PERIODS.map((name) => html`<option value=${name}
              selected=${name === period}>${t(`period.${name}`)}</option>`)}
          </select></label>
        ${period === 'custom' && html`<${Days} from=${from} to=${to} required
          onChange=${(/** @type {any} */ change) => this.choose(change)} />`}
      </form>
      <p class="range muted">
        ${!wrong && t('trends.range', { from: calendarDay(from), to: calendarDay(to), zone: zoneName(now()) })}</p>
      ${error && html`<${Notice} text=${explain(error)} onRetry=${dated ? undefined : this.load} />`}
      ${wrong || dated ? null : !trends ? !error && html`<${Shape} />`
        : !trends.days.some(({ classes, missed }) => classes || missed) ? html`<${Empty} title=${t('trends.none')}
          text=${t('trends.none_text')} />`
        : html`<${Charts} trends=${trends} onExport=${this.exportCsv} />`}
    `;
  }
}

/** @param {string} period @param {string} from @param {string} to */
function days(period, from, to) {
  const today = isoDay(now());

  switch (period) {
    case 'days90':
      return { from: addDays(today, -89), to: today };
    case 'month':
      return { from: `${today.slice(0, 7)}-01`, to: today };
    case 'last_month':
      return lastMonth(today);
    case 'custom':
      return { from: from || addDays(today, -29), to: to || today };
    default:
      return { from: addDays(today, -29), to: today };
  }
}

/** @param {{trends: Trends, onExport: (event: MouseEvent) => void}} props */
const Charts = ({ trends, onExport }) => {
  const { from, to, days: daily, teachers, hours, pay, more } = trends;
  const xs = daily.map(({ day }) => dayX(day));
  /** @param {(row: Counts) => number} value */
  const of = (value) => daily.map(value);
  const top = [...teachers].sort((a, b) => b.minutes - a.minutes).slice(0, CHART_TEACHERS);
  /** Of all links of a day. @param {Counts} row @param {'timeouts' | 'missed'} name */
  const part = (row, name) => row[name] / Math.max(1, row.classes + row.missed);
  /** @param {number} n */
  const percent = (n) => share(n, 1);

  return html`
    <div class="charts">
      <${Chart} title=${t('trends.by_day')} table=${html`<${DayTable} rows=${daily} />`}>
        <${Plot} title=${t('trends.by_day')} axis=${t('trends.day')} xs=${xs} name=${dayName} short=${dayMark}
          lines=${[
          { label: t('history.classes'), color: 'chart-blue', kind: 'bars', points: of((row) => row.classes) },
          { label: t('history.minutes'), color: 'chart-amber', scale: 'minutes', points: of((row) => row.minutes) },
        ]} />
      <//>
      <${Chart} title=${t('trends.shares')} table=${html`<${ShareTable} rows=${daily} part=${part} />`}>
        <${Plot} title=${t('trends.shares')} axis=${t('trends.day')} xs=${xs} name=${dayName} short=${dayMark}
          lines=${[
          { label: t('trends.timeouts'), color: 'chart-red', points: of((row) => part(row, 'timeouts')), value: percent },
          { label: t('history.missed'), color: 'chart-amber', points: of((row) => part(row, 'missed')), value: percent },
        ]} />
      <//>
      <${Chart} title=${t('trends.by_teacher')} table=${html`<${TeacherTable} rows=${teachers} />`}>
        <${Plot} title=${t('trends.by_teacher')} axis=${t('col.teacher')} ordinal xs=${top.map((_, i) => i)}
          name=${(/** @type {number} */ i) => top[i]?.teacher.name ?? ''} lines=${[
          { label: t('history.minutes'), color: 'chart-blue', kind: 'bars', points: top.map((row) => row.minutes) },
        ]} />
      <//>
      <${Chart} title=${t('trends.by_hour')} table=${html`<${HourTable} hours=${hours} />`}>
        <${HeatPlot} title=${t('trends.by_hour')} axis=${t('trends.hour')} xs=${[0]} lines=${[]} hours=${hours} />
      <//>
    </div>
    <section class="pay">
      <div class="head"><h2>${t('trends.pay')}</h2>
        <div class="tools"><a class="button" href=${`/api/admin/trends${query({ from, to, format: 'csv' })}`}
          download onClick=${onExport}><${Icon} name="download" /> ${t('sessions.export')}</a></div></div>
      <p class="muted">${t('trends.pay_text')}</p>
      ${more && html`<${Notice} kind="note" text=${t('trends.more')} />`}
      <${PayTable} rows=${pay} from=${from} to=${to} />
    </section>
  `;
};

/** @param {{title: string, table: any, children: any}} props */
const Chart = ({ title, table, children }) => html`
  <section class="chart">
    <h2>${title}</h2>
    ${children}
    <details><summary>${t('trends.numbers')}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${title}>${table}</div></details>
  </section>
`;

/** @param {{heads: string[], rows: any[][]}} props */
const Numbers = ({ heads, rows }) => html`
  <table>
    <thead><tr>${heads.map((head, i) => html`<th scope="col" class=${i ? 'n' : ''}>${head}</th>`)}</tr></thead>
    <tbody>${rows.map(([head, ...cells]) => html`
      <tr><th scope="row">${head}</th>${cells.map((cell) => html`<td class="n">${cell}</td>`)}</tr>`)}</tbody>
  </table>
`;

/** @param {Counts} row */
const counts = (row) => [row.classes, row.minutes, row.timeouts, row.missed].map(number);
const countHeads = () => [t('history.classes'), t('history.minutes'), t('trends.timeouts'), t('history.missed')];

/** @param {{rows: Trends['days']}} props */
const DayTable = ({ rows }) => html`<${Numbers} heads=${[t('trends.day'), ...countHeads()]}
  rows=${rows.map((row) => [calendarDay(row.day), ...counts(row)])} />`;

/** @param {{rows: Trends['days'], part: (row: Counts, name: 'timeouts' | 'missed') => number}} props */
const ShareTable = ({ rows, part }) => {
  const heads = [t('trends.day'), t('trends.timeouts'), t('history.missed')];
  const shares = rows.map((row) => [part(row, 'timeouts'), part(row, 'missed')].map((n) => share(n, 1)));

  return html`<${Numbers} heads=${heads} rows=${rows.map((row, i) => [calendarDay(row.day), ...shares[i]])} />`;
};

/** @param {{rows: Trends['teachers']}} props */
const TeacherTable = ({ rows }) => html`<${Numbers} heads=${[t('col.teacher'), ...countHeads()]}
  rows=${rows.map((row) => [html`<${Name} text=${row.teacher.name} />`, ...counts(row)])} />`;

/** @param {{hours: Trends['hours']}} props */
const HourTable = ({ hours }) => {
  const { first, last } = span(hours);
  const range = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  /** @param {number} weekday @param {number} hour */
  const at = (weekday, hour) => hours.find((cell) => cell.weekday === weekday && cell.hour === hour)?.classes ?? 0;

  const rows = [0, 1, 2, 3, 4, 5, 6].map((weekday) =>
    [weekdayName(weekday, 'long'), ...range.map((hour) => number(at(weekday, hour)))]);

  return html`<${Numbers} heads=${[t('trends.hour'), ...range.map(number)]} rows=${rows} />`;
};

/** Class, heading and value of each cell. @param {Pay} row @returns {[string, string, any][]} */
const payCells = (row) => [
  ['classes', t('history.classes'), number(row.classes)],
  ['minutes', t('history.minutes'), minutes(row.minutes)],
  ['estimated', t('trends.estimated'), minutes(row.estimated_minutes)],
  ['sum', t('trends.sum'), html`${money(row.sum_rate, row.currency)}
    ${row.without_rate ? html`<p class="bad">${t('trends.without_rate', { n: row.without_rate })}</p>` : null}`],
];

/**
 * The days that a row is of, where the range or today cuts its month.
 * @param {string} name YYYY-MM
 * @param {string} from
 * @param {string} to
 */
function partOf(name, from, to) {
  const whole = lastMonth(addDays(`${name}-01`, 31));
  const first = from > whole.from ? from : whole.from;
  const last = [to, isoDay(now()), whole.to].sort()[0];

  if (first === whole.from && last === whole.to) return '';
  return first === last ? shortDay(first) : `${shortDay(first)} – ${shortDay(last)}`;
}

/** @param {{name: string, from: string, to: string}} props */
const PayMonth = ({ name, from, to }) => {
  const part = partOf(name, from, to);
  return html`${month(name)}${part && html` <p class="muted">${part}</p>`}`;
};

/** On a narrow screen each row is a small card. @param {{rows: Pay[], from: string, to: string}} props */
const PayTable = ({ rows, from, to }) => {
  if (!rows.length) return html`<p>${t('trends.no_pay')}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t('trends.pay')}>
    <table class="stacked">
      <thead><tr><th scope="col">${t('trends.month')}</th><th scope="col">${t('col.teacher')}</th>
        ${payCells(rows[0]).map(([, head]) => html`<th scope="col" class="n">${head}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`
        <tr><th scope="row" class="c-month"><${PayMonth} name=${row.month} from=${from} to=${to} /></th>
          <td class="c-teacher"><${Name} text=${row.teacher.name} /></td>
          ${payCells(row).map(([name, head, value]) => html`
            <td class=${`n c-${name}`} data-label=${head}>${value}</td>`)}</tr>`)}</tbody>
    </table></div>`;
};

/** The shape of what comes. */
const Shape = () => html`<div class="charts skeleton" aria-busy="true"><i></i><i></i><i></i><i></i></div>`;
const Wait = () => html`<div class="head"><h1>${t('nav.trends')}</h1></div><${Shape} />`;

start('admin', 'trends', TrendsPage, Wait);
