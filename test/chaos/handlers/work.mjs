/* global AbortSignal */
// What the handlers of the chaos cases do, whichever way they are given their tasks. Outputs follow from inputs alone, so that they can be
// compared over crashes.
import { setTimeout as pause } from 'node:timers/promises';
import { reached } from './crash.mjs';

const target = process.env.CHAOS_EFFECTS_URL;
/** A target that hangs is given up. */
const TARGET_MS = 3_000;
const workMs = Number(process.env.CHAOS_WORK_MS ?? 0);

export const work = {
  async add({ n }) {
    await pause(workMs);
    return { sum: n + 1 };
  },
  /** Fails the first attempt, as a broken connection does. */
  async flaky({ n }, attempt) {
    if (attempt === 1) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    return { sum: n + 1 };
  },
  /** Some 100 KiB where the input asks for them. */
  async big({ n, bytes }) {
    return { n, text: 'x'.repeat(bytes) };
  },
  /** Acts on the world under the key of the effect. */
  async pay({ n }, _attempt, { key, guarantee }) {
    const place = guarantee === 'none' ? 'plain' : 'keyed';
    const response = await fetch(`${target}/${place}`, {
      method: 'POST',
      headers: { 'idempotency-key': key },
      body: JSON.stringify({ n }),
      signal: AbortSignal.timeout(TARGET_MS),
    });
    if (!response.ok) throw Object.assign(new Error(`the target says ${response.status}`), { code: String(response.status) });
    reached('effect-done');
    return { paid: key };
  },
};
