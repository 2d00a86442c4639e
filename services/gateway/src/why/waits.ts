import type { OnDeadline, StoredTrigger, WaitEntry } from '@cairn/domain-run';
import { command, plainCommand, said, shown, since, toSecond, until, type NearMissFact, type Reason, type WhyFacts } from './facts.js';

/** Open waits: what wakes each, until when, and what nearly did. */
export function openWaits(facts: WhyFacts): Reason[] {
  return [...facts.state.path.waits.entries()].flatMap(([waitId, wait]) => (wait.open ? [reasonOf(facts, waitId, wait)] : []));
}

function reasonOf(facts: WhyFacts, waitId: string, wait: WaitEntry): Reason {
  const { step, opened, got } = wait;
  const { deadline, onDeadline, noDeadline, mode, k, triggers } = opened;
  const come = new Set(got.map(({ trigger }) => trigger));
  const missing = triggers.filter((_, index) => !come.has(index));
  const wanted = missing.map(triggerText).join(mode === 'any' ? ', or ' : ', and ');
  const some = mode === 'atLeast' ? `${k - come.size} more of: ` : '';
  const near = facts.nearMisses.find((miss) => miss.wait === step);
  const end = deadline === null ? withoutDeadline(noDeadline?.because) : ` until ${until(facts, deadline)}, then ${thenText(onDeadline)}`;
  return {
    kind: 'waiting',
    says: `Step ${step} has waited ${since(facts, wait.openedAt)} for ${some}${wanted}${end}${near === undefined ? '' : nearText(facts, near)}.`,
    next: nextFor(facts, waitId, missing),
    step,
    ...(deadline === null ? {} : { at: deadline }),
  };
}

const withoutDeadline = (because: string | undefined): string => (because === undefined ? '' : `, without a deadline (${said(because)})`);

function triggerText(trigger: StoredTrigger): string {
  switch (trigger.kind) {
    case 'event': {
      const { type, key, where, from } = trigger;
      return `event ${type}${key === undefined ? '' : ` with key ${said(key)}`}${where === undefined ? '' : ` where ${said(where)}`}${from === undefined ? '' : ` from ${from.map(said).join(' or ')}`}`;
    }
    case 'signal':
      return `signal ${trigger.name}`;
    case 'callback':
      return `callback ${trigger.name} (whoever has its link)`;
    case 'timer':
      return `its time at ${toSecond(trigger.at)}`;
  }
}

function thenText(then: OnDeadline | null): string {
  if (then === null) return 'it ends';
  if ('value' in then) return `it goes on with ${shown(then.value)}`;
  if ('step' in then) return `step ${then.step} runs`;
  return 'fail' in then ? `it fails with ${said(then.fail)}` : 'the run gives up';
}

function nearText(facts: WhyFacts, { type, source, at, clause, expected, got }: NearMissFact): string {
  const differs = `expected ${shown(expected)}, got ${shown(got)}`;
  return `; ${type} from ${said(source)} ${since(facts, at)} ago nearly woke it: ${clause} ${differs}`;
}

/**
 * What moves it, where one command does: an event or a signal that can be sent as it stands, in the order of the definition. An event with
 * a condition is for whoever knows its data; time needs nobody.
 */
function nextFor(facts: WhyFacts, waitId: string, missing: readonly StoredTrigger[]): string {
  for (const trigger of missing) {
    const sent = commandThatSends(facts, trigger);
    if (sent !== undefined) return sent;
  }
  const link = missing.find((trigger) => trigger.kind === 'callback');
  if (link !== undefined) return plainCommand(facts, 'wait link', waitId, link.name);
  return missing.some(({ kind }) => kind !== 'timer') ? plainCommand(facts, 'wait show', waitId) : command(facts, 'run watch');
}

function commandThatSends(facts: WhyFacts, trigger: StoredTrigger): string | undefined {
  if (trigger.kind === 'signal') return command(facts, 'run signal', trigger.name);
  if (trigger.kind !== 'event' || trigger.where !== undefined || trigger.from !== undefined) return undefined;
  const key = trigger.key === undefined ? [] : ['--key', trigger.key];
  return plainCommand(facts, 'event send', '--type', trigger.type, ...key);
}
