// Preact and htm, and the few pieces that every page is made of.

import * as preact from '/vendor/preact.js';
import htm from '/vendor/htm.js';
import { backwards, plain, t } from './i18n.js';

export const { createRef, render } = preact;
/** @typedef {typeof import('../types').Component} OurComponent */
export const Component = /** @type {OurComponent} */ (/** @type {unknown} */ (preact.Component));
export const html = htm.bind(preact.h);

/**
 * Drawn again only when one of its props is another.
 * @template P
 * @extends {Component<P>}
 */
export class Pure extends Component {
  /** @param {P} next */
  shouldComponentUpdate(next) {
    return Object.keys(/** @type {object} */ (next)).some((key) =>
      /** @type {any} */ (next)[key] !== /** @type {any} */ (this.props)[key]);
  }
}

/** 16 px line drawings; every one stands beside its words. */
const icons = {
  add: 'M8 3v10M3 8h10',
  alert: 'M8 2 1.5 13.5h13zM8 6.5v3.2M8 11.6v.2',
  back: 'M10 3 5 8l5 5',
  check: 'm3 8.5 3.3 3.3L13 5',
  clock: 'M8 1.8a6.2 6.2 0 1 0 .01 0M8 4.5V8l2.4 1.6',
  close: 'm4 4 8 8M12 4l-8 8',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  download: 'M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13.5h11',
  filter: 'M2 4h12M4.5 8h7M6.5 12h3',
  forward: 'M6 3l5 5-5 5',
  print: 'M4.5 6V2.5h7V6M4.5 11h-2V6h11v5h-2M4.5 9.5h7v4h-7z',
  qr: 'M2.5 2.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 9.5h4v4h-4zM9.5 9.5h1.5v1.5M13.5 13.5h-4M13.5 9.5v1.5',
  refresh: 'M13 8a5 5 0 1 1-1.5-3.6M13 2.2v2.9h-2.9',
  send: 'M14 2 7 9M14 2 9.6 14 7 9 2 6.4z',
  user: 'M8 2.2a2.7 2.7 0 1 0 .01 0M2.8 13.8a5.2 5.2 0 0 1 10.4 0',
  video: 'M2 4.5h8v7H2zM10 7l4-2v6l-4-2z',
};

/** @typedef {keyof typeof icons} IconName */

/** @param {{name: IconName}} props */
export const Icon = ({ name }) => html`
  <svg class=${`icon i-${name}`} viewBox="0 0 16 16" aria-hidden="true"><path d=${icons[name]} /></svg>
`;

/** The sign of the house: a clock at class time. */
export const Mark = () => html`
  <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <circle cx="12" cy="12" r="9.5" /><path d="M12 6.5V12l3.8 2.4" />
  </svg>
`;

/** A person's own words: shown as text, kept from turning the line round. @extends {Pure<{text: string}>} */
export class Name extends Pure {
  /** @param {{text: string}} props */
  render({ text }) {
    return html`<bdi class="name" title=${plain(text)}>${plain(text)}</bdi>`;
  }
}

/**
 * @typedef {object} FieldProps
 * @property {string} label
 * @property {string} name
 * @property {string} [hint]
 * @property {string | null} [error]
 * @property {any} [children] the control; without it an <input> with the remaining properties
 */

/** A labelled control with its hint, or what is wrong in its place. @param {FieldProps & Record<string, any>} props */
export function Field({ label, name, hint, error, children, id = `f-${name}`, ...input }) {
  const told = error ? `${id}-error` : hint && `${id}-hint`;
  const shared = {
    id, name, 'aria-describedby': told || undefined, 'aria-invalid': error ? 'true' : undefined,
  };

  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${children ? children(shared) : html`<input ...${shared} ...${input} />`}
      ${hint && !error && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
      ${error && html`<p class="error" id=${`${id}-error`}>${error}</p>`}
    </div>
  `;
}

/** @typedef {{from?: string, to?: string}} DayRange */

/**
 * The first and the last day of a range. They are looked at here, before anybody is asked.
 * @extends {Component<DayRange & {required?: boolean, onChange: (change: Record<string, string>) => void}>}
 */
export class Days extends Component {
  /** Drawn for less, a field would lose what is half typed. @param {DayRange} next */
  shouldComponentUpdate({ from, to }) {
    return from !== this.props.from || to !== this.props.to;
  }

  /**
   * By keys a day may come by way of one that is none. What is emptied by keys is told by nothing but leaving it.
   * @param {any} event
   */
  tell = ({ target: { name, value, validity } }) => {
    const shown = this.props[/** @type {'from' | 'to'} */ (name)] ?? '';

    if (validity.badInput || value === shown) return;
    this.props.onChange({ [name]: value });
    this.forceUpdate(); // there may be another day for none
  };

  /** @param {DayRange & {required?: boolean}} props */
  render({ from, to, required }) {
    const wrong = backwards({ from, to });
    const told = wrong ? { 'aria-invalid': 'true', 'aria-describedby': 'days-error' } : {};

    return html`
      ${Object.entries({ from, to }).map(([name, value]) => html`
        <label class="pick day"><span>${t(/** @type {any} */ (`filter.${name}`))}</span>
          <input type="date" name=${name} value=${value ?? ''} required=${required} ...${told}
            onChange=${this.tell} onBlur=${this.tell} />
        </label>`)}
      ${wrong && html`<p class="error" id="days-error" role="alert">${t('filter.backwards')}</p>`}
    `;
  }
}

/**
 * Something went wrong: what, and what to do.
 * @param {{text: string, onRetry?: () => void, kind?: 'error' | 'note'}} props
 */
export const Notice = ({ text, onRetry, kind = 'error' }) => html`
  <div class=${`notice ${kind}`} role=${kind === 'error' ? 'alert' : 'status'}>
    <${Icon} name=${kind === 'error' ? 'alert' : 'check'} />
    <p>${text}</p>
    ${onRetry && html`<button type="button" class="small" onClick=${onRetry}>${t('action.retry')}</button>`}
  </div>
`;

/** @param {{title: string, text?: string, children?: any}} props */
export const Empty = ({ title, text, children }) => html`
  <div class="empty"><h2>${title}</h2>${text && html`<p>${text}</p>`}${children}</div>
`;

/**
 * A modal dialog while it is mounted. The cross closes it, and Escape unless onEscape says otherwise; without
 * onClose it stays until it is unmounted. While it is busy nothing closes it: the answer belongs to it.
 */
export class Dialog extends Component {
  componentDidMount() {
    this.dialog.current?.showModal();
  }

  componentWillUnmount() {
    this.dialog.current?.close();
  }

  /** @type {{current: HTMLDialogElement | null}} */
  dialog = createRef();

  /** The browser closes it in the end, whatever the page says to "cancel": then it comes back. */
  reopen = () => this.dialog.current?.showModal();

  /**
   * @param {{
   *   title: string,
   *   onClose?: () => void,
   *   onEscape?: () => void,
   *   busy?: boolean,
   *   wide?: boolean,
   *   children: any,
   * }} props
   */
  render({ title, onClose, onEscape = onClose, busy, wide, children }) {
    /** @param {Event} event */
    const cancel = (event) => {
      event.preventDefault();
      if (!busy) onEscape?.();
    };
    /** A choice of files that is given up says "cancel" too. @param {Event} event */
    const asked = (event) => {
      if (event.target === event.currentTarget) cancel(event);
    };
    /** A second Escape would close it without asking the page. @param {KeyboardEvent} event */
    const key = (event) => {
      if (event.key === 'Escape' && !event.isComposing && !event.defaultPrevented) cancel(event);
    };

    return html`
      <dialog ref=${this.dialog} class=${wide ? 'modal wide' : 'modal'} aria-label=${title}
        onKeyDown=${key} onCancel=${asked} onClose=${this.reopen}>
        <header>
          <h2>${title}</h2>
          ${onClose && html`
            <button type="button" class="bare" aria-label=${t('action.close')} disabled=${busy} onClick=${onClose}>
              <${Icon} name="close" />
            </button>`}
        </header>
        ${children}
      </dialog>
    `;
  }
}

/** Does it when the browser has nothing better to do. @param {() => void} fn */
export function whenIdle(fn) {
  if ('requestIdleCallback' in window) requestIdleCallback(fn, { timeout: 4000 });
  else setTimeout(fn, 1000);
}

/**
 * A component whose code comes after the page has, before anybody needs it. Code that did not come is asked for again
 * whenever the component is drawn, by another address: browsers may remember that one as failed.
 * @param {string} url
 * @param {string} name what the module calls it
 */
export function later(url, name) {
  /** @type {any} */
  let Loaded;
  /** @type {Promise<void> | null} */
  let coming = null;
  let tries = 0;
  const get = () =>
    (coming ??= import(tries++ ? `${url}?try=${tries}` : url)
      .then((module) => void (Loaded = module[name]))
      .finally(() => (coming = null)));

  const ahead = () => whenIdle(() => Loaded || get().catch(() => null));

  if (document.readyState === 'complete') ahead(); // modules that wait for others may come after the event
  else addEventListener('load', ahead);
  return class extends Component {
    componentDidMount() {
      if (!Loaded) get().then(() => this.forceUpdate(), () => say(t('problem.offline')));
    }

    componentDidUpdate() {
      this.componentDidMount();
    }

    /** @param {any} props */
    render(props) {
      return Loaded ? html`<${Loaded} ...${props} />` : null;
    }
  };
}

/** Says something short that needs no answer; screen readers hear it. @param {string} text */
export function say(text) {
  const place = document.getElementById('said');
  if (!place) return;
  const line = document.createElement('p');
  line.textContent = text;
  place.replaceChildren(line);
  setTimeout(() => line.remove(), 6000);
}

/** The values of a form, trimmed, but for passwords; empty ones are null. @param {HTMLFormElement} form */
export function values(form) {
  /** @type {Record<string, string | null>} */
  const out = {};
  for (const [name, value] of new FormData(form)) {
    const text = String(value);
    out[name] = (name.includes('password') ? text : text.trim()) || null;
  }
  return out;
}

/** Copies, also where the clipboard is closed to the page. @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** What the browser remembers. Storage may be full, blocked or absent: then it forgets. @param {string} key */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string | null} value null forgets
 */
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Nothing that matters lives only here.
  }
}
