import type { Page, ReviewView, RunView, WaitView } from '@cairn/contracts';
import { isId } from '@cairn/kernel/ids';
import type { Client } from './client.js';
import { notFound, usage } from './refusal.js';
import { tail } from './show.js';

/** Fewer characters would match by chance. */
const TAIL_MIN = 6;
/** Open waits that are looked through: one page of the server's largest. */
const PAGE_MAX = 200;
const TAIL = /^[0-9a-hjkmnp-tv-z]{6,25}$/;

/** The whole id of a run from a unique tail of it. None: exit 3; several: exit 2 with the candidates. */
export async function runId(client: Client, text: string): Promise<string> {
  const given = checked(text, 'run');
  if (given.whole) return given.text;
  const { items } = await client.get<Page<RunView>>(`runs?tail=${given.text}`);
  return only(
    given.text,
    'run',
    items.map(({ run, workflow, state }) => ({ id: run, says: `${workflow}, ${state}` })),
  );
}

/** The same for an open wait; a closed one stands in its run's history and is named by its whole id. */
export async function waitId(client: Client, text: string): Promise<string> {
  const given = checked(text, 'wait');
  if (given.whole) return given.text;
  const { items } = await client.get<Page<WaitView>>(`waits?limit=${PAGE_MAX}`);
  return only(
    given.text,
    'wait',
    items.map(({ wait, workflow, step, state }) => ({ id: wait, says: `${workflow} ${step}, ${state}` })),
  );
}

/** The same for an open review; a closed one is named by its whole id. */
export async function reviewId(client: Client, text: string): Promise<string> {
  const given = checked(text, 'review');
  if (given.whole) return given.text;
  const { items } = await client.get<Page<ReviewView>>(`reviews?limit=${PAGE_MAX}`);
  return only(
    given.text,
    'review',
    items.map(({ review, workflow, step, status }) => ({ id: review, says: `${workflow} ${step}, ${status}` })),
  );
}

function checked(text: string, what: string): { readonly text: string; readonly whole: boolean } {
  const lower = text.toLowerCase();
  if (isId(lower)) return { text: lower, whole: true };
  if (!TAIL.test(lower)) throw usage(`'${text}' is neither the id of a ${what} nor the last ${TAIL_MIN} or more characters of one.`);
  return { text: lower, whole: false };
}

function only(text: string, what: 'run' | 'wait' | 'review', found: readonly { readonly id: string; readonly says: string }[]): string {
  const matching = found.filter(({ id }) => id.endsWith(text));
  const [first, second] = matching;
  if (first === undefined) throw notFound(`${what}_not_found`, `There is no ${what} whose id ends in ${text}.`);
  if (second === undefined) return first.id;
  const candidates = matching.map(({ id, says }) => ({ pointer: '', rule: 'ambiguous', says: `${tail(id)} (${id}): ${says}` }));
  throw usage(`${matching.length} ${what}s end in ${text}; give more of the id.`, { errors: candidates });
}
