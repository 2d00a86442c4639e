import { invariant, isEventType, isId, isName, isNamespace, PARTITIONS } from '@cairn/kernel';

/** The only builder of subjects. Each part must be a token of its kind; anything else is a bug of the caller, who checks input first. */
export const subjects = {
  /** An event of the outside world. `type` without its version is the tail: `cairn.acme.in.dms.document.received`. */
  inbound: (ns: string, type: string): string => `cairn.${namespace(ns)}.in.${eventType(type)}`,
  runStart: (ns: string, workflow: string): string => `cairn.${namespace(ns)}.run.start.${name(workflow)}`,
  signal: (ns: string, runId: string, signal: string): string => `cairn.${namespace(ns)}.run.${id(runId)}.signal.${name(signal)}`,
  /** A link was used that a task was given. The gateway's alone: it has looked at the token. */
  callback: (ns: string, runId: string, waitId: string, callback: string): string =>
    `cairn.${namespace(ns)}.run.${id(runId)}.callback.${id(waitId)}.${name(callback)}`,
  runControl: (ns: string, runId: string, verb: RunControl): string => `cairn.${namespace(ns)}.run.${id(runId)}.${verb}`,
  /** A person opens a branch of the run. */
  branchOpen: (ns: string, runId: string): string => `cairn.${namespace(ns)}.run.${id(runId)}.branch.open`,
  /** A person has an effect of the run found out about, or undone. */
  effectControl: (ns: string, runId: string, verb: EffectControl): string => `cairn.${namespace(ns)}.run.${id(runId)}.${verb}`,
  /** A person moves the deadline of one of its waits. */
  waitReschedule: (ns: string, runId: string): string => `cairn.${namespace(ns)}.run.${id(runId)}.wait.reschedule`,
  executionCommand: (ns: string, partition: number, command: string): string =>
    `cairn.${namespace(ns)}.cmd.execution.${partitionToken(partition)}.${name(kebab(command))}`,
  command: (ns: string, service: 'scheduling' | 'retry-policy' | 'human-review', command: string): string =>
    `cairn.${namespace(ns)}.cmd.${service}.${name(kebab(command))}`,
  reply: (ns: string, partition: number): string => `cairn.${namespace(ns)}.reply.${partitionToken(partition)}`,
  work: (ns: string, queue: string): string => `cairn.${namespace(ns)}.work.${name(queue)}`,
  /** Where a handler asks whether it may act. Heard by the replica that serves the partition alone. */
  claim: (ns: string, partition: number): string => `cairn.${namespace(ns)}.claim.${partitionToken(partition)}`,
  /** Frames of worker sessions to one replica of execution. */
  exchange: (ns: string, replica: string): string => `cairn.${namespace(ns)}.exchange.${id(replica)}`,
  /** What the gateway asks of one replica's desk for those who come by HTTP. */
  desk: (ns: string, replica: string, question: DeskQuestion): string => `cairn.${namespace(ns)}.desk.${id(replica)}.${question}`,
  /** Beats of a replica of execution. Of no namespace: it serves all. */
  presence: (replica: string): string => `cairn.presence.execution.${id(replica)}`,
  /** A fact. `context` is the stream's category, `of` the id of the run or of the stream. */
  fact: (ns: string, context: FactContext, event: string, of: string): string =>
    `cairn.${namespace(ns)}.evt.${context}.${name(kebab(event))}.${id(of)}`,
} as const;

/** What an operator may do to a whole run. */
export const runControls = ['cancel', 'pause', 'unpause'] as const;
export type RunControl = (typeof runControls)[number];
/** What an event to `….branch.open` asks of a run. */
export const OPEN_BRANCH = 'branch.open';
/** What an event to `….effect.reconcile` or `….effect.compensate` asks of a run. */
export const effectControls = ['effect.reconcile', 'effect.compensate'] as const;
export type EffectControl = (typeof effectControls)[number];
export const isEffectControl = (text: unknown): text is EffectControl => (effectControls as readonly unknown[]).includes(text);
/** What an event to `….wait.reschedule` asks of a run. */
export const RESCHEDULE_WAIT = 'wait.reschedule';
/** All that an operator asks of one run by an event. */
export type ControlVerb = RunControl | typeof OPEN_BRANCH | EffectControl | typeof RESCHEDULE_WAIT;
const isRunControl = (text: unknown): text is RunControl => (runControls as readonly unknown[]).includes(text);

/** Questions to a desk, `DeskMessages` in `exchange.ts`. */
export const deskQuestions = ['poll', 'heartbeat', 'reply', 'queue', 'holder', 'lost', 'moved'] as const;
export type DeskQuestion = (typeof deskQuestions)[number];

/** What a replica listens to, over all namespaces. */
export const lineSubjects = {
  claims: 'cairn.*.claim.*',
  exchange: (replica: string): string => `cairn.*.exchange.${id(replica)}`,
  desk: (replica: string): string => `cairn.*.desk.${id(replica)}.*`,
  presence: 'cairn.presence.execution.*',
  /** Every process is asked to fold anew what it has folded, and says how that goes (`RebuildQuestion`, `RebuildWord`). Of no namespace. */
  rebuild: 'cairn.rebuild.ask',
  rebuilt: 'cairn.rebuild.told',
  /** Facts as they are told, for who only wants to look at once and forgets them. */
  facts: 'cairn.*.evt.>',
} as const;

export type FactContext = 'run' | 'receipt' | 'review';

/** `RetryDecided` -> `retry-decided`: one name, every spelling. */
export function kebab(pascal: string): string {
  return pascal.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

/** What a subject that arrived on `CAIRN_IN` says, or `undefined` if it is none of ours. */
export function parseInboundSubject(subject: string): InboundSubject | undefined {
  const [root, ns, kind, ...rest] = subject.split('.');
  if (root !== 'cairn' || !isNamespace(ns)) return undefined;
  if (kind === 'in' && rest.length > 0 && isEventType(rest.join('.'))) return { kind: 'event', ns, type: rest.join('.') };
  if (kind !== 'run') return undefined;
  const [first, second, third, fourth] = rest;
  if (rest.length === 2 && first === 'start' && isName(second)) return { kind: 'start', ns, workflow: second };
  if (rest.length === 3 && isId(first) && second === 'signal' && isName(third)) return { kind: 'signal', ns, runId: first, signal: third };
  if (rest.length === 4 && isId(first) && second === 'callback' && isId(third) && isName(fourth))
    return { kind: 'callback', ns, runId: first, waitId: third, callback: fourth };
  if (rest.length === 3 && isId(first) && second === 'branch' && third === 'open')
    return { kind: 'control', ns, runId: first, verb: OPEN_BRANCH };
  const verb = `${second}.${third}`;
  if (rest.length === 3 && isId(first) && isEffectControl(verb)) return { kind: 'control', ns, runId: first, verb };
  if (rest.length === 3 && isId(first) && second === 'wait' && third === 'reschedule')
    return { kind: 'control', ns, runId: first, verb: RESCHEDULE_WAIT };
  if (rest.length === 2 && isId(first) && isRunControl(second)) return { kind: 'control', ns, runId: first, verb: second };
  return undefined;
}

export type InboundSubject =
  | { readonly kind: 'event'; readonly ns: string; readonly type: string }
  | { readonly kind: 'start'; readonly ns: string; readonly workflow: string }
  | { readonly kind: 'signal'; readonly ns: string; readonly runId: string; readonly signal: string }
  | { readonly kind: 'callback'; readonly ns: string; readonly runId: string; readonly waitId: string; readonly callback: string }
  | { readonly kind: 'control'; readonly ns: string; readonly runId: string; readonly verb: ControlVerb };

/** The namespace token of any subject of ours. */
export function namespaceOf(subject: string): string {
  const ns = subject.split('.')[1];
  invariant(isNamespace(ns), `no namespace in subject ${subject.slice(0, 80)}`);
  return ns;
}

const bad = (what: string, text: unknown): never => {
  invariant(false, `not a ${what}: ${String(text).slice(0, 80)}`);
};
const namespace = (text: string): string => (isNamespace(text) ? text : bad('namespace', text));
const name = (text: string): string => (isName(text) ? text : bad('name', text));
const id = (text: string): string => (isId(text) ? text : bad('id', text));
const eventType = (text: string): string => (isEventType(text) ? text : bad('event type', text));
const partitionToken = (partition: number): string =>
  Number.isInteger(partition) && partition >= 0 && partition < PARTITIONS ? String(partition) : bad('partition', partition);
