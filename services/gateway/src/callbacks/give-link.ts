import { giveLinkSchema, type CallbackLink } from '@cairn/contracts';
import type { Id, Revision } from '@cairn/kernel';
import { checkedBody } from '../commands/checked-body.js';
import { openWaitOf } from '../commands/wait.js';
import { readJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import type { WholeRun } from '../queries/whole-run.js';
import type { CallbackParts } from './find-callback.js';

/**
 * `POST runs/{id}/waits/{w}:link {callback}`: a link to an open wait for whoever may act on the run, where no task has handed one out or it
 * was lost. It belongs to this opening of the wait: a branch from before it leaves it behind. Changes nothing, and is the same each time.
 */
export async function giveLink(
  { tokens, reader }: CallbackParts,
  ns: string,
  run: Id,
  named: string,
  body: RawBody | undefined,
): Promise<CallbackLink> {
  const { callback } = checkedBody(giveLinkSchema, readJson(body));
  await reader.ownRow(ns, run);
  const whole = await reader.whole(ns, run);
  const waitId = openWaitOf(whole.state, named);
  const { step, opened } = whole.state.path.waits.get(waitId) ?? refuse('wait_not_found', 'The run has no such wait.');
  const place = openingOf(whole, waitId);
  if (tokens === undefined || place === undefined || !opened.triggers.some(({ kind, ...trigger }) => isCallback(kind, trigger, callback)))
    refuse('invalid_body', 'The wait has no such callback.', {
      errors: [{ pointer: '/callback', rule: 'unknown-ref', says: `${step} has ${callbacksOf(opened.triggers)}` }],
    });
  const token = tokens.issue({ ns, run, wait: step, name: callback, ...place });
  return { callback, step, token, path: `/v1/callbacks/${token}`, until: opened.deadline };
}

const isCallback = (kind: string, trigger: object, name: string): boolean =>
  kind === 'callback' && 'name' in trigger && trigger.name === name;

function callbacksOf(triggers: readonly { readonly kind: string; readonly name?: string }[]): string {
  const names = triggers.flatMap(({ kind, name }) => (kind === 'callback' && name !== undefined ? [name] : []));
  return names.length === 0 ? 'no callback' : `the callback ${names.join(', ')}`;
}

/** Where the newest `WaitOpened` of the wait stands on the way to the head. */
function openingOf(whole: WholeRun, waitId: Id): { readonly branch: string; readonly revision: Revision } | undefined {
  let at: { readonly branch: string; readonly revision: Revision } = { branch: whole.state.branch, revision: Number.POSITIVE_INFINITY };
  for (const seen = new Set<string>(); !seen.has(at.branch);) {
    const { branch, revision: end } = at;
    seen.add(branch);
    const events = whole.decodedBranches.get(branch) ?? [];
    const found = events.findLastIndex((event, revision) => revision <= end && event.type === 'WaitOpened' && event.data.waitId === waitId);
    if (found >= 0) return { branch, revision: found };
    const [opened] = events;
    if (opened?.type !== 'BranchOpened') return undefined;
    at = opened.data.parent;
  }
  return undefined;
}
