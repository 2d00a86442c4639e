// Restate's service process: the flows of `workloads.mjs` on its own SDK, which serves HTTP/2. One service, a handler a flow.
import { createServer } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import './node20.mjs';
import * as restate from '@restatedev/restate-sdk';
import { came, serveNotes } from '../../notebook.mjs';
import { CHAIN_STEPS, LOOPS, SLOW_STEP_MS, TURNS } from '../../workloads.mjs';

const output = (step) => ({ ok: true, step, score: 0.44, listVersion: '2026-11-22' });

async function chainOf(ctx, steps) {
  const run = ctx.request().id;
  for (let n = 0; n < steps; n++) {
    await ctx.run(`s${n}`, () => {
      came(run);
      return output(`s${n}`);
    });
  }
  return { ok: true };
}

/** Attempts of the first step of each flaky run. */
const attempts = new Map();
const quick = { initialRetryInterval: { milliseconds: 100 }, retryIntervalFactor: 1, maxRetryAttempts: 3 };

const bench = restate.service({
  name: 'bench',
  handlers: {
    chain: (ctx) => chainOf(ctx, CHAIN_STEPS),
    long: (ctx) => chainOf(ctx, LOOPS * TURNS),
    wait: async (ctx, { key }) => {
      const { id, promise } = ctx.awakeable();
      // Told as soon as the handler waits: whether that is stored by then is not asked.
      process.send({ key, awakeable: id });
      await promise;
      await ctx.run('after', () => output('after'));
      return { ok: true };
    },
    flaky: async (ctx, { key }) => {
      const run = ctx.request().id;
      const first = () => {
        came(run);
        const attempt = (attempts.get(key) ?? 0) + 1;
        attempts.set(key, attempt);
        if (attempt < 3) throw new Error('socket hang up');
        attempts.delete(key);
        return output('flaky');
      };
      await ctx.run('flaky', first, quick);
      for (const step of ['b', 'c']) {
        await ctx.run(step, () => {
          came(run);
          return output(step);
        });
      }
      return { ok: true };
    },
    slow: async (ctx) => {
      for (let n = 0; n < CHAIN_STEPS; n++) {
        await ctx.run(`s${n}`, async () => {
          process.send('step');
          await pause(SLOW_STEP_MS);
          return output(`s${n}`);
        });
      }
      return { ok: true };
    },
  },
});

const server = createServer(restate.createEndpointHandler({ services: [bench], logger: () => undefined }));
await new Promise((resolve) => server.listen(Number(process.env.BENCH_PORT), '127.0.0.1', resolve));
serveNotes(async () => undefined);
process.send('ready');
