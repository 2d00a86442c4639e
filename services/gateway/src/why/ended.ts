import { runEnds } from '@cairn/domain-run';
import { FIRST_BRANCH } from '@cairn/ports';
import { command, said, since, type Reason, type RunStored, type WhyFacts } from './facts.js';
import { saidAfterwards } from './late.js';
import { hasReason, verdictText } from './verdict.js';

/** How it ended, by whom, and what it left in doubt. */
export function ended(facts: WhyFacts): Reason {
  const { state, events } = facts;
  const end = events.findLast(({ type }) => (runEnds as readonly string[]).includes(type));
  const unknown = [...state.ledger.effects.entries()].filter(([, { status }]) => status === 'unknown').map(([key]) => key);
  return {
    kind: 'complete',
    says: `${end === undefined ? 'The run has ended.' : sentence(facts, end)}${doubts(facts, unknown)}`,
    next: command(facts, unknown.length > 0 ? 'effect list' : (ways[end?.type ?? ''] ?? 'run history')),
  };
}

/** What nobody knows of, with what its handler said too late to count. */
function doubts(facts: WhyFacts, unknown: readonly string[]): string {
  const silent = unknown.filter((key) => saidAfterwards(facts, key) === undefined);
  const sentences = silent.length === 0 ? [] : [` Whether ${silent.map(said).join(', ')} happened is unknown.`];
  for (const key of unknown) {
    const late = saidAfterwards(facts, key);
    if (late !== undefined) sentences.push(` Whether ${said(key)} happened is unknown; ${late}.`);
  }
  return sentences.join('');
}

const ways: { readonly [type: string]: string | undefined } = { RunGaveUp: 'retry explain', RunFailed: 'retry explain' };

function sentence(facts: WhyFacts, end: RunStored): string {
  const { branch } = facts.state;
  const ago = `${since(facts, end.at)} ago${branch === FIRST_BRANCH ? '' : ` on ${branch}`}`;
  switch (end.type) {
    case 'RunCompleted':
      return `The run ended ${ago}: ${end.data.outcome}.`;
    case 'RunCancelled':
      return `The run was cancelled by ${end.actor} ${ago}${end.data.reason === undefined ? '' : `: ${said(end.data.reason)}`}.`;
    case 'RunGaveUp':
      return `The run gave up ${ago}${at(end.data.step)}${hasReason(end.data.rule) ? `: ${verdictText(end.data.rule, '')}` : ` by rule ${end.data.rule}`}.`;
    case 'RunFailed':
      return `The run failed ${ago}${at(end.data.step)}: ${end.data.bucket}, ${said(end.data.message)}.`;
    default:
      return `The run ended ${ago}.`;
  }
}

const at = (step: string | undefined): string => (step === undefined ? '' : ` at step ${step}`);
