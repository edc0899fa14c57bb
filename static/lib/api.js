// Talks to the server, JSON in and out, every failure one kind of exception; and keeps its clock.

import { language, t } from './i18n.js';

/** What the server, or its silence, had against a request. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {string} [detail]
   * @param {string} [field] the input at fault
   * @param {number} [wait] seconds the server asks to wait
   */
  constructor(status, detail = '', field = undefined, wait = 0) {
    super(detail || `status ${status}`);
    this.status = status;
    this.detail = detail;
    this.field = field;
    this.wait = wait;
  }

  /** Nobody is there: worth trying again by itself. */
  get away() {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** What to tell a person, and what they can do. @param {unknown} error */
export function explain(error) {
  if (!(error instanceof Problem)) return t('problem.page');
  const { status, detail, field, wait } = error;

  if (status === 0) return t('problem.offline');
  if (status === 401) return t('problem.signed_out');
  if (status === 409 && field === 'session_status') return t('problem.meanwhile');
  if (status === 403) return t('problem.forbidden');
  if (status === 404) return t('problem.gone');
  if (status === 413) return t('problem.too_large');
  if (status === 429) return wait ? t('problem.wait', { n: wait }) : t('problem.slow_down');
  if (error.away) return t('problem.away');
  if (status >= 500) return t('problem.server');
  if (!detail || language === 'en') return detail || t('problem.refused');
  // The server explains in English; better than nothing beside our own words.
  return t('problem.refused_because', { detail });
}

/** @type {() => Promise<void>} */
let signInAgain = () => Promise.reject(new Problem(401));

/** Who asks for the password when a login has run out. @param {() => Promise<void>} fn */
export function onExpired(fn) {
  signInAgain = fn;
}

/**
 * @typedef {object} Options
 * @property {boolean} [poll] nobody asked for this: it keeps no login alive
 * @property {boolean} [raw401] the caller deals with a missing login itself
 * @property {AbortSignal} [signal]
 * @property {number} [limit] milliseconds after which no answer is one
 */

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function api(method, path, body, options = {}) {
  try {
    return await once(method, path, body, options);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401 || options.raw401) throw error;
  }
  await signInAgain();
  return once(method, path, body, options);
}

/**
 * Changes what differs from what a form showed, and nothing else: the rest may be older than others' changes.
 * @param {string} path
 * @param {object} key whose it is
 * @param {Record<string, unknown>} shown
 * @param {Record<string, unknown>} given
 * @returns {Promise<any>} null, without a call, when nothing differs
 */
export async function amend(path, key, shown, given) {
  const change = Object.entries(given).filter(([name, value]) => value !== shown[name]);
  return change.length ? api('PATCH', path, { ...key, ...Object.fromEntries(change) }) : null;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {Options} options
 */
async function once(method, path, body, { poll, signal, limit = 30_000 }) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json' };
  const late = deadline(limit, signal);
  const early = method === 'GET' ? takeEarly(path) : undefined;
  const asked = early?.at ?? performance.now();
  let response;

  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (poll) headers['X-Poll'] = '1';
  try {
    response = await (early?.answer ?? fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: late.signal,
    }));
    const text = await response.text();
    const answer = parse(text);

    if (response.ok && (answer !== undefined || !text)) {
      const moment = answer?.generated_at ?? answer?.now;
      if (moment) sync(moment, asked, early?.got);
      return answer;
    }
    throw new Problem(
      response.ok ? 502 : response.status,
      answer?.detail,
      answer?.field,
      Number(response.headers.get('Retry-After')) || 0,
    );
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    throw new Problem(0);
  } finally {
    late.end();
  }
}

/**
 * Aborts after that long, or with the caller's own signal, until it is ended. AbortSignal.timeout() and any() would
 * do, but phones of some years ago do not have them.
 * @param {number} ms
 * @param {AbortSignal} [own]
 */
export function deadline(ms, own) {
  const control = new AbortController();
  const abort = () => control.abort();
  const timer = setTimeout(abort, ms);

  own?.addEventListener('abort', abort);
  if (own?.aborted) abort();
  return {
    signal: control.signal,
    end() {
      clearTimeout(timer);
      own?.removeEventListener('abort', abort);
    },
  };
}

/** What boot.js has asked for this page already; used once, and only while it is news. @param {string} path */
function takeEarly(path) {
  const early = window.asked?.[path];

  delete window.asked?.[path];
  return early && performance.now() - early.at < 10_000 ? early : undefined;
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** ?a=1&b=2 of what is set. @param {Record<string, string | number | null | undefined>} params */
export function query(params) {
  const set = Object.entries(params).filter(([, value]) => value != null && value !== '');
  return set.length ? `?${new URLSearchParams(set.map(([k, v]) => [k, String(v)]))}` : '';
}

/** A UUID, also on a plain http host of the local net. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/* The server's clock, kept by the browser's monotonic one: a wrong wall clock changes nothing. */

let server = Date.now();
let mono = performance.now();
let wall = Date.now();
let known = false;

/** @type {Set<() => void>} */
const tickers = new Set();
/** @type {Set<() => void>} */
const jumpers = new Set();

/**
 * Takes the server's word for the time.
 * @param {string} iso
 * @param {number} asked performance.now() when the question left: the answer is half as old
 * @param {number} [got] and when it came
 */
function sync(iso, asked, got = performance.now()) {
  const time = Date.parse(iso);

  if (Number.isNaN(time)) return;
  server = time + (got - asked) / 2;
  mono = got;
  wall = Date.now();
  known = true;
}

/** The server's time in milliseconds. */
export function now() {
  return server + (performance.now() - mono);
}

/** Calls back once a second of the server's clock. @param {() => void} fn */
export function onTick(fn) {
  tickers.add(fn);
  return () => tickers.delete(fn);
}

/** Calls back when wall and monotonic clock part: the machine slept, so ask the server. @param {() => void} fn */
export function onJump(fn) {
  jumpers.add(fn);
  return () => jumpers.delete(fn);
}

function tick() {
  const drift = Date.now() - wall - (performance.now() - mono);

  if (known && Math.abs(drift) > 2000) {
    wall = Date.now() - (performance.now() - mono);
    for (const fn of jumpers) fn();
  }
  for (const fn of tickers) fn();
  setTimeout(tick, 1000 - (now() % 1000));
}
setTimeout(tick, 1000 - (now() % 1000));
