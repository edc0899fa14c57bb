// Zoom, telling of meetings by signed events as lib/zoom_event.h knows them.

import assert from 'node:assert/strict';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';

export const SECRET = 'a secret of the walks';

const second = (at) => new Date(at).toISOString().replace(/\.\d+Z/, 'Z');

async function deliver(client, event, at, object) {
  const body = JSON.stringify({ event, event_ts: Date.parse(at), payload: { account_id: 'walks', object } });
  const sent = String(Math.floor(Date.now() / 1000));
  const mac = createHmac('sha256', SECRET).update(`v0:${sent}:${body}`).digest('hex');
  const response = await fetch(new URL('/api/zoom/webhook', client.url), {
    method: 'POST', body, headers: { 'Content-Type': 'application/json', 'x-zm-request-timestamp': sent, 'x-zm-signature': `v0=${mac}` },
  });
  assert.equal(response.status, 200, await response.text());
}

/**
 * A meeting of a host and one guest, from start to end. Its uuid.
 * @param {{url: string}} client
 * @param {{id: number, host: string, began: number, ended: number}} meeting moments in milliseconds
 */
export async function meet(client, { id, host, began, ended }) {
  const uuid = randomBytes(16).toString('base64');
  const object = { id: String(id), uuid, host_id: host, topic: 'Class', type: 2, duration: 60, timezone: 'UTC', start_time: second(began) };
  const person = (name, account) => ({ user_name: name, id: account, participant_user_id: account, participant_uuid: randomUUID(), email: '' });
  const [teacher, guest] = [person('Host', host), person('Guest', '')];

  await deliver(client, 'meeting.started', second(began), object);
  for (const participant of [teacher, guest])
    await deliver(client, 'meeting.participant_joined', second(began), { ...object, participant: { ...participant, join_time: second(began) } });
  for (const participant of [guest, teacher])
    await deliver(client, 'meeting.participant_left', second(ended), { ...object, participant: { ...participant, leave_time: second(ended), leave_reason: 'left the meeting' } });
  await deliver(client, 'meeting.ended', second(ended), { ...object, end_time: second(ended) });
  return uuid;
}
