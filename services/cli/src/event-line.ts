import type { StoredEventView } from '@cairn/contracts';
import { changesText, type Change } from './changes-text.js';
import type { Paint } from './paint.js';
import { brief, clock, oneLine } from './show.js';

type Data = Readonly<Record<string, unknown>>;
const text = (value: unknown): string => (typeof value === 'string' ? value : brief(value, 60));
const step = ({ step: name, attempt }: Data): string =>
  `${text(name)}${typeof attempt === 'number' && attempt > 1 ? ` attempt ${attempt}` : ''}`;

const sent = (key: unknown, suffix: unknown): string => (suffix === 0 ? text(key) : `${text(key)}#${text(suffix)}`);
const reasonText = (reason: unknown): string => (reason === undefined ? 'no reason given' : text(reason));

/** What a person wants to know of an event beyond its name; an event without a line here shows its data, cut. */
const says: Readonly<Record<string, (data: Data) => string>> = {
  RunStarted: ({ workflow, key, input, cause }) =>
    `${text(workflow)}${key === undefined ? '' : ` key ${text(key)}`} by ${text((cause as Data)['type'])}, input ${brief(input, 60)}`,
  StepStarted: (data) => `${step(data)}, queue ${text(data['queue'])}`,
  AttemptTaken: ({ step: name, handler }) => `${text(name)} by ${text(handler)}`,
  StepSucceeded: ({ step: name, output, outputRef }) => `${text(name)} -> ${brief(output ?? outputRef)}`,
  StepFailed: ({ step: name, failure }) =>
    `${text(name)}: ${text((failure as Data)['code'] ?? (failure as Data)['bucket'] ?? '')} ${text((failure as Data)['message'])}`,
  StepSkipped: ({ step: name, because }) => `${text(name)}: ${text(because)}`,
  RetryDecided: ({ step: name, decision, bucket, notBefore }) =>
    `${text(name)}: ${text(decision)} (${text(bucket)})${notBefore === undefined ? '' : ` not before ${clock(text(notBefore))}`}`,
  EffectIntended: ({ step: name, key, suffix, guarantee }) => `${text(name)} ${sent(key, suffix)} (${text(guarantee)})`,
  EffectConfirmed: ({ step: name, key, suffix, by }) => `${text(name)} ${sent(key, suffix)} by ${text(by)}`,
  EffectAbsent: ({ step: name, key, suffix, because }) => `${text(name)} ${sent(key, suffix)}: ${text(because)}`,
  EffectCompensated: ({ step: name, key, suffix }) => `${text(name)} ${sent(key, suffix)}`,
  EffectUnknown: ({ step: name, key, suffix, because }) => `${text(name)} ${sent(key, suffix)}: ${text(because)}`,
  CheckpointReached: ({ name, kind, stateDigest }) => `${text(name)} (${text(kind)}) state ${text(stateDigest).slice(0, 19)}`,
  WaitOpened: ({ step: name, triggers, deadline }) =>
    `${text(name)} for ${(triggers as Data[]).map((trigger) => text(trigger['type'] ?? trigger['name'] ?? trigger['kind'])).join(', ')}${deadline === null ? '' : `, deadline ${text(deadline)}`}`,
  WaitTriggered: ({ step: name, type, kept, data }) =>
    `${text(name)} by ${text(type ?? 'its timer')}${kept === true ? ', kept from before' : ''}${data === undefined || data === null ? '' : ` ${brief(data, 60)}`}`,
  WaitSatisfied: ({ step: name }) => text(name),
  WaitExpired: ({ step: name, then }) => `${text(name)} -> ${brief(then)}`,
  WaitWithdrawn: ({ step: name, because }) => `${text(name)}: ${text(because)}`,
  WaitStale: ({ step: name, because }) => `${text(name)}: ${text(because)}`,
  ReviewRequested: ({ step: name, why, queue, question }) => `${text(name)} of ${text(queue)} (${text(why)}): ${text(question)}`,
  ReviewEscalated: ({ step: name, level, to }) =>
    `${text(name)} level ${text(level)}${to === null ? ', the end of its chain' : ` to ${text(to)}`}`,
  VerdictApplied: ({ step: name, verdict, then, by, reason }) =>
    `${text(name)}: ${text(verdict)}, ${text(then)}${(by as string[]).length === 0 ? '' : ` by ${(by as string[]).join(', ')}`}${reason === undefined ? '' : `: ${text(reason)}`}`,
  VerdictCarried: ({ step: name, verdict, by, reason }) =>
    `${text(name)}: ${text(verdict)} by ${(by as string[]).join(', ')}, carried: ${text(reason)}`,
  ReviewWithdrawn: ({ step: name, because, says: told }) =>
    `${text(name)}: ${text(because)}${told === undefined ? '' : ` (${text(told)})`}`,
  EventEmitted: ({ type, key, data }) => `${text(type)}${key === undefined ? '' : ` key ${text(key)}`} ${brief(data, 60)}`,
  RunCompleted: ({ outcome, output, outputRef }) => `${text(outcome)} ${brief(output ?? outputRef)}`,
  RunGaveUp: ({ step: name, rule, numbers }) => `${text(name ?? '')} rule ${text(rule)} ${brief(numbers, 60)}`.trim(),
  RunCancelled: ({ reason }) => reasonText(reason),
  BranchSuperseded: ({ successor, spec }) => `by ${text(successor)}: ${text((spec as Data)['cause'])}, ${text((spec as Data)['reason'])}`,
  BranchOpened: ({ parent, cause, changes }) =>
    `from ${text((parent as Data)['branch'])}@${text((parent as Data)['revision'])}: ${text(cause)}, ${changesText(changes as Change[]).join(', ')}`,
  RunPaused: ({ reason, by }) => `${by === 'system' ? 'by Cairn itself ' : ''}${reasonText(reason)}`.trim(),
  RunUnpaused: ({ reason }) => reasonText(reason),
  LateResultRecorded: ({ step: name, reply, because }) => `${text(name)}: ${text((reply as Data)['kind'])}, ${text(because)}`,
  RunFailed: ({ step: name, bucket, message }) => `${text(name ?? '')} ${text(bucket)}: ${text(message)}`,
};

const loud: Readonly<Record<string, Parameters<Paint['style']>[0]>> = {
  RunStarted: 'bold',
  RunCompleted: 'green',
  StepSucceeded: 'green',
  WaitSatisfied: 'green',
  StepFailed: 'red',
  RunFailed: 'red',
  RunGaveUp: 'red',
  RunCancelled: 'red',
  RunPaused: 'yellow',
  EffectConfirmed: 'green',
  EffectUnknown: 'red',
  EffectCompensated: 'yellow',
  RetryDecided: 'yellow',
  ReviewRequested: 'yellow',
  VerdictApplied: 'green',
  BranchSuperseded: 'yellow',
  BranchOpened: 'bold',
  WaitOpened: 'yellow',
  WaitExpired: 'yellow',
};

/** One stored event as one line. */
export function eventLine({ stream, revision, type, data, metadata }: StoredEventView, paint: Paint): string {
  const at = metadata['at'];
  const branch = stream.slice(stream.indexOf('+') + 1);
  const name = type.padEnd(17);
  const style = loud[type];
  const say = says[type];
  let what: string;
  try {
    what = say === undefined ? brief(data) : say(data as Data);
  } catch {
    what = brief(data); // An event of a later version, whose fields we do not know.
  }
  const place = `${branch}@${revision}`.padEnd(8);
  return `${paint.style('dim', `${typeof at === 'string' ? clock(at) : ''}  ${place}`)}  ${style === undefined ? name : paint.style(style, name)}  ${oneLine(what)}`;
}

/** What ends a run, and whether it was a success. */
export function endOf({ type, data }: Pick<StoredEventView, 'type' | 'data'>): { readonly succeeded: boolean } | undefined {
  if (type === 'RunCompleted') return { succeeded: data['outcome'] === 'succeeded' };
  return ['RunFailed', 'RunGaveUp', 'RunCancelled'].includes(type) ? { succeeded: false } : undefined;
}
