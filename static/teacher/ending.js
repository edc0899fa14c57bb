// Ending a class, also while the database is away. The signed link of a class (leave_url) asks for neither login nor
// database: its node keeps what it is told, and counts it later. So the links of open classes are at hand before
// they are needed, also for a page that is loaded anew meanwhile.

import { Component, Name, Notice, html, recall, remember } from '../lib/ui.js';
import { Problem, api, deadline, explain, now } from '../lib/api.js';
import { t, time } from '../lib/i18n.js';
import { open } from '../lib/session.js';

/** @typedef {import('./student.js').Student} Student */
/**
 * @typedef {object} Held an open class
 * @property {string} name its student's
 * @property {string} leave its link, on this host
 * @property {number} [ended] when its end was kept
 * @property {number} [back] when the server answered for the first time after that
 */

/** After so long an answer is not waited for: the link costs nothing, and every second would count as taught. */
const PATIENCE = 3_000;
/** By then the journal is in the database, by one job or the other. */
const REPLAYED = 5 * 60_000;

/** What the browser may not remember, the page does. @type {Record<string, Held>} */
let held = {};

/** By the number of the class. @returns {Record<string, Held>} */
function classes() {
  try {
    return JSON.parse(recall('classes') ?? '');
  } catch {
    return held;
  }
}

/** @param {Record<string, Held>} all */
function hold(all) {
  held = all;
  remember('classes', JSON.stringify(all));
}

/** @param {Student} student @param {import('./sent.js').Sent} sent */
export function holdLink({ name }, { session: { id }, leave_url }) {
  const { pathname, search } = new URL(leave_url);
  const all = classes();

  hold({ ...all, [id]: { ...all[id], name, leave: pathname + search } });
}

/** Those that the server calls open are kept, and no others. @param {Student[]} students as it has just told */
export function holdOpen(students) {
  const all = classes();

  hold(Object.fromEntries(students.flatMap(({ last_session: last }) => {
    const known = last && open(last) && all[last.id];
    return known ? [[last.id, seen(known)]] : [];
  })));
}

/**
 * A class that is open still when the journal has long been read is to be ended anew.
 * @param {Held} known
 * @returns {Held}
 */
function seen({ ended, back = now(), ...link }) {
  return ended && now() - back < REPLAYED ? { ...link, ended, back } : link;
}

/** When its end was kept, if the server has not counted it yet. @param {number} id */
export const keptAt = (id) => classes()[id]?.ended;

/** Whether the end is kept. @param {string} link */
async function leave(link) {
  const late = deadline(10_000);

  try {
    return (await fetch(link, { redirect: 'error', signal: late.signal })).ok;
  } catch {
    return false;
  } finally {
    late.end();
  }
}

/**
 * Ends the class. Should the first word have arrived and only its answer be lost, it is the earlier and holds.
 * @param {number} id
 * @returns {Promise<any>} the server's answer; null if the end is kept and not counted yet, as far as is known
 */
export async function end(id) {
  let ended;

  try {
    return await api('POST', '/api/teacher/session', { session_id: id, action: 'end' }, { limit: PATIENCE });
  } catch (error) {
    const known = classes()[id];
    ended = now();
    if (!(error instanceof Problem && error.away && known && (await leave(known.leave)))) throw error;
  }
  const all = classes();
  hold({ ...all, [id]: { ...all[id], ended, back: undefined } });
  return null;
}

/** @param {{at: number}} props */
export const Kept = ({ at }) => html`<${Notice} kind="note" text=${t('end.kept', { time: time(at) })} />`;

/**
 * Two taps end a class, or withdraw its link.
 * @extends {Component<{what: 'end' | 'cancel', busy: boolean, onYes: () => void}, {asked: boolean}>}
 */
export class Finish extends Component {
  state = { asked: false };

  /** @param {{what: 'end' | 'cancel', busy: boolean, onYes: () => void}} props @param {{asked: boolean}} state */
  render({ what, busy, onYes }, { asked }) {
    if (!asked)
      return html`
        <button type="button" class="danger" disabled=${busy} onClick=${() => this.setState({ asked: true })}>
          ${t(what === 'end' ? 'end.button' : 'withdraw.button')}</button>
      `;
    return html`
      <div class="buttons confirm">
        <button type="button" class="danger solid" disabled=${busy} onClick=${onYes}>
          ${t(what === 'end' ? 'end.yes' : 'withdraw.yes')}</button>
        <button type="button" onClick=${() => this.setState({ asked: false })}>${t('end.no')}</button>
      </div>
    `;
  }
}

/**
 * All that a page can offer which was loaded while the server is away.
 * @extends {Component<{}, {busy: boolean, error: unknown}>}
 */
export class Unended extends Component {
  /** @type {{busy: boolean, error: unknown}} */
  state = { busy: false, error: null };

  /** @param {number} id */
  async end(id) {
    this.setState({ busy: true, error: null });
    const error = await end(id).then(() => null, (problem) => problem);
    this.setState({ busy: false, error });
  }

  /** @param {unknown} _ @param {{busy: boolean, error: unknown}} state */
  render(_, { busy, error }) {
    const live = Object.entries(classes()).filter(([, { leave: link }]) =>
      Number(new URLSearchParams(link.split('?')[1]).get('exp')) * 1000 > Date.now());

    return live.length > 0 && html`
      <section class="stack">
        <h2>${t('teacher.now')}</h2>
        <p class="muted">${t('end.meanwhile')}</p>
        ${live.map(([id, { name, ended }]) => html`
          <article class="student" key=${id} aria-labelledby=${`class-${id}`}>
            <h3 id=${`class-${id}`}><${Name} text=${name} /></h3>
            ${ended ? html`<${Kept} at=${ended} />`
              : html`<${Finish} what="end" busy=${busy} onYes=${() => this.end(Number(id))} />`}
          </article>`)}
        ${error && html`<${Notice} text=${explain(error)} />`}
      </section>
    `;
  }
}
