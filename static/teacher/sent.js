// Sending a class exactly once. The request's id is kept until its answer came, so that a second
// tap, a lost answer or a reload asks for the same session again instead of making another. If
// that one is over, the tap was for the next class.

import { Problem, api, query, uuid } from '../lib/api.js';
import { open } from '../lib/session.js';
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
/** @typedef {import('./student.js').Student} Student */

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

/** @param {Request} request @returns {Promise<Sent>} */
async function ask(request) {
  keep(request.student_id, request);
  try {
    const answer = await api('POST', '/api/teacher/send-link', request);
    keep(request.student_id, null);
    return answer;
  } catch (error) {
    // Refused is an answer: the next try is a new request.
    if (error instanceof Problem && !error.away && error.status < 500) keep(request.student_id, null);
    throw error;
  }
}

/**
 * @param {Student} student as the card shows it
 * @param {string | null} zoomUrl null lets the server make a meeting
 * @returns {Promise<Sent>}
 */
export async function send({ id, last_session: last }, zoomUrl) {
  const lost = kept()[id]?.request;
  const content = { student_id: id, ...(zoomUrl ? { zoom_url: zoomUrl } : {}) };

  if (lost && lost.zoom_url === content.zoom_url) {
    const answer = await ask(lost);
    const { session } = answer;
    if (open(session) && session.id >= (last?.id ?? 0)) return answer;
    // It had arrived, and its class is over: the next one is wanted, unless another device has sent it.
    const { sessions } = await api('GET', `/api/teacher/sessions${query({ student_id: id, limit: 1 })}`);
    if (open(sessions[0])) return linksOf(sessions[0]);
  }
  return ask({ ...content, request_id: uuid() });
}

/**
 * The links of a session, also when another device sent it.
 * @param {Session} session
 * @param {import('../lib/api.js').Options} [options]
 * @returns {Promise<Sent>}
 */
export const linksOf = (session, options) =>
  api('GET', `/api/teacher/session${query({ session_id: session.id })}`, undefined, options);
