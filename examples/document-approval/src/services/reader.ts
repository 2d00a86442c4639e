// The reading service, a process of its own: reads one paragraph a request, and has a quota. `--refuse 2`: the first two requests are
// answered as a busy provider answers them, 429 with the seconds after which it makes sense to ask again.
import { read } from '../reading.js';
import { listen, portOf } from './listen.js';

const RETRY_AFTER_S = 1;
const args = process.argv.slice(2);
const refusing = args.indexOf('--refuse');
let refusals = refusing < 0 ? 0 : Number(args[refusing + 1]);

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
  const { text } = body as { readonly text?: unknown };
  return typeof text === 'string'
    ? { status: 200, body: read(text) }
    : { status: 422, body: { error: { type: 'invalid_request', field: 'text' } } };
});
