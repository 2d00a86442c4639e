// The reading service, a process of its own: reads one paragraph a request, and has a quota. `--refuse 2`: the first two requests are
// answered as a busy provider answers them, 429 with the seconds after which it makes sense to ask again. `--break-after 6`: when it has
// read six paragraphs it is broken for good, and answers 503 for ever.
import { read } from '../reading.js';
import { listen, portOf } from './listen.js';

const RETRY_AFTER_S = 1;
const args = process.argv.slice(2);
const numberAfter = (name: string, otherwise: number): number => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise);
let refusals = numberAfter('--refuse', 0);
let good = numberAfter('--break-after', Infinity);

listen('reader', portOf(args, 4501), ({ path, body }) => {
  if (path !== 'POST /read') return { status: 404, body: { error: { type: 'not_found' } } };
  if (refusals > 0) {
    refusals -= 1;
    console.log(`429, retry after ${RETRY_AFTER_S} s`);
    return {
      status: 429,
      headers: { 'retry-after': String(RETRY_AFTER_S) },
      body: { error: { type: 'rate_limit_error', message: 'too many requests in this second' } },
    };
  }
  if (good <= 0) {
    console.log('503, for ever');
    return { status: 503, body: { error: { type: 'service_unavailable', message: 'the reader is gone' } } };
  }
  good -= 1;
  const { text } = body as { readonly text?: unknown };
  return typeof text === 'string'
    ? { status: 200, body: read(text) }
    : { status: 422, body: { error: { type: 'invalid_request', field: 'text' } } };
});
