import type { RunEvent } from '@cairn/domain-run';
import { newest, said, type WhyFacts } from './facts.js';

type Reply = Extract<RunEvent, { type: 'LateResultRecorded' }>['data']['reply'];

/** What a handler said of an effect when its attempt was over. Evidence for whoever looks; the ledger does not believe it. */
export function saidAfterwards(facts: WhyFacts, key: string): string | undefined {
  const attempts = new Set(
    facts.events.flatMap((event) => (event.type === 'EffectIntended' && event.data.key === key ? [event.data.attemptId] : [])),
  );
  // A success outweighs what other attempts say: it is what whoever looks must know.
  const late =
    newest(facts, 'LateResultRecorded', ({ data }) => attempts.has(data.attemptId) && data.reply.kind === 'succeeded') ??
    newest(facts, 'LateResultRecorded', ({ data }) => attempts.has(data.attemptId));
  return late === undefined ? undefined : `its handler said afterwards that ${replyText(late.data.reply)}`;
}

function replyText({ kind, failure }: Reply): string {
  if (kind !== 'failed') return `it ${kind}`;
  const outside = failure?.sideEffect === 'none' ? ' and that nothing happened' : '';
  return `it failed${failure === undefined ? '' : ` (${said(failure.message)})`}${outside}`;
}
