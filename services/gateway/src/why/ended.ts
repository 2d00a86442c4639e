import { runEnds } from '@cairn/domain-run';
import { command, said, since, type Reason, type RunStored, type WhyFacts } from './facts.js';

/** How it ended, and by whom. */
export function ended(facts: WhyFacts): Reason {
  const { state, events } = facts;
  const end = events.findLast(({ type }) => (runEnds as readonly string[]).includes(type));
  const unknown = [...state.ledger.effects.entries()].filter(([, { status }]) => status === 'unknown').map(([key]) => key);
  const open = unknown.length === 0 ? '' : ` Whether ${unknown.map(said).join(', ')} happened is unknown.`;
  return {
    kind: 'complete',
    says: `${end === undefined ? 'The run has ended.' : sentence(facts, end)}${open}`,
    next: command(facts, unknown.length > 0 ? 'effect list' : (ways[end?.type ?? ''] ?? 'run history')),
  };
}

const ways: { readonly [type: string]: string | undefined } = { RunGaveUp: 'retry explain', RunFailed: 'retry explain' };

function sentence(facts: WhyFacts, end: RunStored): string {
  const ago = `${since(facts, end.at)} ago`;
  switch (end.type) {
    case 'RunCompleted':
      return `The run ended ${ago}: ${end.data.outcome}.`;
    case 'RunCancelled':
      return `The run was cancelled by ${end.actor} ${ago}${end.data.reason === undefined ? '' : `: ${said(end.data.reason)}`}.`;
    case 'RunGaveUp':
      return `The run gave up ${ago}${at(end.data.step)} by rule ${end.data.rule}.`;
    case 'RunFailed':
      return `The run failed ${ago}${at(end.data.step)}: ${end.data.bucket}, ${said(end.data.message)}.`;
    default:
      return `The run ended ${ago}.`;
  }
}

const at = (step: string | undefined): string => (step === undefined ? '' : ` at step ${step}`);
