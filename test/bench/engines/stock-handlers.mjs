// The handlers of `cairn-handlers.mjs`, by the stock client.
import { came, serveNotes } from '../notebook.mjs';
import { serveQueues } from './stock.mjs';

const stop = await serveQueues({
  bench({ run, step }) {
    came(run);
    return { output: { ok: true, step, score: 0.44, listVersion: '2026-11-22' } };
  },
  'bench-flaky'({ run, attempt }) {
    came(run);
    return attempt < 3 ? { failure: { code: 'ECONNRESET', message: 'socket hang up' } } : { output: { ok: true } };
  },
});
serveNotes(stop);
process.send('ready');
