// Charts by uPlot, in the page's colours, language and width. Each stands beside its numbers as a table.

import uPlot from '/vendor/uplot.js';
import { Component, createRef, html } from '../lib/ui.js';
import { calendarDay, number, plain, shortDay, t, weekdayName } from '../lib/i18n.js';

/**
 * @typedef {{
 *   label: string,
 *   color: string,
 *   points: number[],
 *   kind?: 'bars' | 'line',
 *   scale?: string,
 *   value?: (n: number) => string,
 * }} Line
 */
/** @typedef {{weekday: number, hour: number, classes: number}} Hour */
/**
 * @typedef {{
 *   title: string,
 *   axis: string,
 *   xs: number[],
 *   name: (x: number) => string,
 *   short?: (x: number) => string,
 *   lines: Line[],
 *   ordinal?: boolean,
 *   height?: number,
 *   hours?: Hour[],
 * }} Props
 */

/** A colour of the page by its variable. @param {string} name */
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** @type {uPlot.Range.Function} */
const fromNought = (_, __, max) => [0, Math.max(1e-9, max) * 1.08];

/** Counts have no halves. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 2e4, 5e4, 1e5, 1e6];

/** @param {string} label */
const shorten = (label) => (label.length > 14 ? `${[...label].slice(0, 13).join('')}…` : label);

/** @extends {Component<Props>} */
class Plot extends Component {
  /** @type {{current: HTMLElement | null}} */
  place = createRef();
  /** @type {uPlot | null} */
  plot = null;
  watcher = new ResizeObserver(() => this.fit());

  componentDidMount() {
    this.draw();
    this.watcher.observe(/** @type {HTMLElement} */ (this.place.current));
    document.addEventListener('theme', this.draw);
  }

  componentDidUpdate() {
    this.draw();
  }

  componentWillUnmount() {
    this.watcher.disconnect();
    document.removeEventListener('theme', this.draw);
    this.plot?.destroy();
  }

  fit() {
    const width = this.place.current?.clientWidth ?? 0;
    if (this.plot && width && width !== this.plot.width) this.draw(); // the width says how many labels there are
  }

  draw = () => {
    const place = this.place.current;

    if (!place) return;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(place.clientWidth || 600), this.data(), place);
  };

  /** @returns {uPlot.AlignedData} */
  data() {
    return [this.props.xs, ...this.props.lines.map(({ points }) => points)];
  }

  /** @param {number} width @returns {uPlot.Options} */
  options(width) {
    const { lines, height = 220 } = this.props;
    const scales = [...new Set(lines.map((line) => line.scale ?? 'y'))];
    /** @type {uPlot.Scales} */
    const scale = Object.fromEntries(scales.map((name) => [name, { range: fromNought }]));

    return {
      width,
      height,
      scales: { x: { time: false, range: this.range() }, ...scale },
      cursor: { points: { size: 6 }, drag: { x: false, y: false } },
      legend: { live: true },
      axes: [this.xAxis(width), ...scales.map((name, i) => this.yAxis(name, i))],
      series: [
        { label: this.props.axis, value: (_, x) => (x == null ? '–' : plain(this.props.name(x))) },
        ...lines.map((line) => this.series(line)),
      ],
    };
  }

  /** Half a step of air at both ends. @returns {[number, number]} */
  range() {
    const { xs } = this.props;
    const half = (xs.length > 1 ? xs[1] - xs[0] : 1) / 2;
    return [xs[0] - half, xs[xs.length - 1] + half];
  }

  /** @param {number} width @returns {uPlot.Axis} */
  xAxis(width) {
    const { xs, name, short = name, ordinal } = this.props;
    // The width of a label (Arabic months are long) in what the axes at both sides leave.
    const every = Math.max(1, Math.ceil((xs.length * (ordinal ? 96 : 76)) / Math.max(width - 112, 76)));

    return {
      ...this.look(),
      grid: { show: false },
      splits: () => xs.filter((_, i) => i % every === 0),
      values: (_, splits) => splits.map((x) => shorten(plain(short(x)))),
    };
  }

  /** @param {string} name @param {number} i @returns {uPlot.Axis} */
  yAxis(name, i) {
    const value = this.props.lines.find((line) => (line.scale ?? 'y') === name)?.value ?? number;
    return {
      ...this.look(),
      scale: name,
      side: i ? 1 : 3,
      size: 56,
      grid: { show: !i, stroke: color('line'), width: 1 },
      incrs: value === number ? WHOLE : undefined,
      values: (_, splits) => splits.map(value),
    };
  }

  look() {
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    return { stroke: color('muted'), font, ticks: { show: false } };
  }

  /** @param {Line} line @returns {uPlot.Series} */
  series({ label, color: name, kind, scale = 'y', value = number }) {
    const stroke = color(name);
    const bars = kind === 'bars';
    return {
      label,
      scale,
      stroke,
      width: bars ? 0 : 2,
      fill: bars ? stroke : undefined,
      paths: bars ? uPlot.paths.bars?.({ size: [0.7, 48], radius: 0.15 }) : uPlot.paths.linear?.(),
      points: { show: !bars && this.props.xs.length < 15 },
      value: (_, n) => (n == null ? '–' : value(n)),
    };
  }

  render() {
    return html`<div class="plot" dir="ltr" role="img" aria-label=${t('trends.chart', { title: this.props.title })}
      ref=${this.place}></div>`;
  }
}

const WEEK = [0, 1, 2, 3, 4, 5, 6];

/** The weekly rhythm: a square an hour of a weekday, the fuller the darker. */
class HeatPlot extends Plot {
  /** @param {number} width */
  options(width) {
    const { first, last } = span(this.heat());
    const options = super.options(width);
    const look = { ...this.look(), grid: { show: false } };
    const every = Math.ceil(((last - first + 1) * 26) / Math.max(1, width - 80));
    const hours = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const marks = hours.filter((_, i) => i % every === 0);

    options.height = 7 * 26 + 40;
    options.legend = { show: false };
    options.cursor = { show: false };
    options.scales = { x: { time: false, range: [first, last + 1] }, y: { range: [-0.5, 6.5], dir: -1 } };
    options.axes = [
      { ...look, splits: () => marks, values: (_, hours) => hours.map((hour) => number(hour)) },
      { ...look, size: 56, splits: () => WEEK, values: (_, days) => days.map((day) => weekdayName(day)) },
    ];
    options.series = [{}, { paths: () => null, points: { show: false } }];
    options.hooks = { draw: [(plot) => this.squares(plot)] };
    return options;
  }

  heat() {
    return this.props.hours ?? [];
  }

  /** @returns {uPlot.AlignedData} */
  data() {
    const { first, last } = span(this.heat());
    return [[first, last + 1], [0, 6]];
  }

  /** @param {uPlot} plot */
  squares(plot) {
    const { ctx } = plot;
    const most = Math.max(1, ...this.heat().map(({ classes }) => classes));
    const gap = devicePixelRatio;

    ctx.save();
    ctx.fillStyle = color('chart-blue');
    for (const { weekday, hour, classes } of this.heat()) {
      const x = plot.valToPos(hour, 'x', true);
      const y = plot.valToPos(weekday - 0.5, 'y', true);
      const right = plot.valToPos(hour + 1, 'x', true);
      const bottom = plot.valToPos(weekday + 0.5, 'y', true);

      ctx.globalAlpha = classes ? 0.12 + (0.88 * classes) / most : 0.04;
      ctx.fillRect(x + gap, Math.min(y, bottom) + gap, right - x - 2 * gap, Math.abs(bottom - y) - 2 * gap);
    }
    ctx.restore();
  }
}

/** The hours worth showing: from the first with a class to the last. @param {Hour[]} hours */
export function span(hours) {
  const used = hours.filter(({ classes }) => classes).map(({ hour }) => hour);
  return used.length ? { first: Math.min(...used), last: Math.max(...used) } : { first: 8, last: 18 };
}

/** Seconds of noon of a calendar day: the x of a day. @param {string} isoDay */
export const dayX = (isoDay) => Date.parse(`${isoDay}T12:00:00Z`) / 1000;

/** @param {number} x */
const dayOf = (x) => new Date(x * 1000).toISOString().slice(0, 10);

/** @param {number} x */
export const dayName = (x) => calendarDay(dayOf(x));

/** @param {number} x */
export const dayMark = (x) => shortDay(dayOf(x));

export { Plot, HeatPlot };
