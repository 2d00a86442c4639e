import { command, newest, said, since, type Reason, type WhyFacts } from './facts.js';

/** Who paused it, when and why. */
export function paused(facts: WhyFacts): Reason[] {
  if (!facts.state.path.paused) return [];
  const event = newest(facts, 'RunPaused');
  const by = event?.data.by === 'system' ? 'by Cairn itself' : `by ${event?.actor ?? 'somebody'}`;
  const when = event === undefined ? '' : ` ${since(facts, event.at)} ago`;
  const reason = event?.data.reason === undefined ? '' : `: ${said(event.data.reason)}`;
  return [{ kind: 'paused', says: `The run was paused ${by}${when}${reason}.`, next: command(facts, 'run unpause') }];
}
