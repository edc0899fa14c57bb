// Sending a class exactly once. The request's id is kept until its answer came, so that a second
// tap, a lost answer or a reload asks for the same session again instead of making another.

import { Problem, api } from '../lib/api.js';
import { recall, remember } from '../lib/store.js';

/** @typedef {import('../types').Session} Session */
/** @typedef {{session: Session, join_url: string, start_url: string, leave_url: string, delivery: string, delivery_detail?: string}} Sent */
/** @typedef {{student_id: number, zoom_url?: string, request_id: string}} Request */
/** @typedef {{request: Request, session_id: number | null, at: number}} Kept */

const LIFE = 24 * 3600_000;

/** @returns {Record<string, Kept>} */
function kept() {
  try {
    const all = /** @type {[string, Kept][]} */ (Object.entries(JSON.parse(recall('sent') ?? '{}')));
    return Object.fromEntries(all.filter(([, { at }]) => Date.now() - at < LIFE));
  } catch {
    return {};
  }
}

/** @param {number} student @param {Kept | null} entry */
function keep(student, entry) {
  const { [student]: _, ...others } = kept();
  remember('sent', JSON.stringify(entry ? { ...others, [student]: entry } : others));
}

/** A UUID, also on a plain http host of the local net. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * @param {number} student
 * @param {string | null} zoomUrl null lets the server make a meeting
 * @returns {Promise<Sent>}
 */
export async function send(student, zoomUrl) {
  const last = kept()[student];
  const content = { student_id: student, ...(zoomUrl ? { zoom_url: zoomUrl } : {}) };
  const again = last && last.session_id === null && last.request.zoom_url === content.zoom_url;
  const request = again ? last.request : { ...content, request_id: uuid() };

  keep(student, { request, session_id: null, at: Date.now() });
  try {
    const answer = /** @type {Sent} */ (await api('POST', '/api/teacher/send-link', request));
    keep(student, { request, session_id: answer.session.id, at: Date.now() });
    return answer;
  } catch (error) {
    // Refused is an answer: the next try is a new request.
    if (error instanceof Problem && !error.away && error.status < 500) keep(student, null);
    throw error;
  }
}

/**
 * The links of a session that this browser sent, asked for again; null when it was not this browser.
 * @param {Session} session
 * @returns {Promise<Sent | null>}
 */
export async function linksOf(session) {
  const last = kept()[session.student.id];

  if (!last || last.session_id !== session.id) return null;
  return api('POST', '/api/teacher/send-link', last.request);
}
