// What a normal run has no time to try in full: some of it, drawn by CLASSCLOCK_SEED, which ./dev test chooses and prints.

import { createHash, randomInt } from 'node:crypto';

const SEED = process.env.CLASSCLOCK_SEED ?? String(randomInt(2 ** 32));

if (!process.env.CLASSCLOCK_SEED) console.log(`CLASSCLOCK_SEED=${SEED}`);

/**
 * So many of the cases; in a long run all.
 * @template T
 * @param {T[]} cases
 * @param {number} most
 * @returns {T[]}
 */
export function sample(cases, most) {
  if (process.env.CLASSCLOCK_LONG) return cases;
  const rank = (/** @type {number} */ i) => createHash('sha256').update(`${SEED} ${i}`).digest('hex');
  const drawn = cases.map((_, i) => i).sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, most);
  return cases.filter((_, i) => drawn.includes(i));
}
