// Sending a class exactly once. The request's id is kept until its answer came, so that a second
// tap, a lost answer or a reload asks for the same session again instead of making another.

import { Problem, api, query, uuid } from '../lib/api.js';
import { recall, remember } from '../lib/ui.js';

/** @typedef {import('../types').Session} Session */
/**
 * @typedef {{
 *   session: Session,
 *   join_url: string,
 *   start_url: string,
 *   leave_url: string,
 *   delivery: string,
 * }} Sent
 */
/** @typedef {{student_id: number, zoom_url?: string, request_id: string}} Request */
/** @typedef {{request: Request, at: number}} Kept a request whose answer never came */

const LIFE = 24 * 3600_000;

/** @returns {Record<string, Kept>} */
function kept() {
  try {
    const all = /** @type {[string, Kept][]} */ (Object.entries(JSON.parse(recall('sending') ?? '{}')));
    return Object.fromEntries(all.filter(([, { at }]) => Date.now() - at < LIFE));
  } catch {
    return {};
  }
}

/** @param {number} student @param {Request | null} request */
function keep(student, request) {
  const { [student]: _, ...others } = kept();
  remember('sending', JSON.stringify(request ? { ...others, [student]: { request, at: Date.now() } } : others));
}

/**
 * @param {number} student
 * @param {string | null} zoomUrl null lets the server make a meeting
 * @returns {Promise<Sent>}
 */
export async function send(student, zoomUrl) {
  const open = kept()[student]?.request;
  const content = { student_id: student, ...(zoomUrl ? { zoom_url: zoomUrl } : {}) };
  const request = open && open.zoom_url === content.zoom_url ? open : { ...content, request_id: uuid() };

  keep(student, request);
  try {
    const answer = await api('POST', '/api/teacher/send-link', request);
    keep(student, null);
    return answer;
  } catch (error) {
    // Refused is an answer: the next try is a new request.
    if (error instanceof Problem && !error.away && error.status < 500) keep(student, null);
    throw error;
  }
}

/** The links of a session, also when another device sent it. @param {Session} session @returns {Promise<Sent>} */
export const linksOf = (session) => api('GET', `/api/teacher/session${query({ session_id: session.id })}`);
