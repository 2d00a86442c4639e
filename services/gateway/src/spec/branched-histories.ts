import {
  beginningOf,
  decodeRunEvents,
  derivedOpening,
  evolve,
  Lineage,
  stateDigest,
  type BranchSpec,
  type RunEvent,
  type RunState,
} from '@cairn/domain-run';
import { instantOf, runStream, sealAppend, type Id, type StoredEvent } from '@cairn/kernel';
import { attemptId, BEGIN, told } from './histories.js';

/**
 * A run on several branches, told event by event: what opens a branch follows from what announced it, as execution does it, and every
 * checkpoint holds the digest of the state before it. A second passes with each append.
 */
export class BranchedHistory {
  readonly branches = new Map<string, StoredEvent[]>([['main', []]]);
  head = 'main';
  private seconds = 0;
  /** Of the head, where it is known: a history of many events is told in time. */
  private newest: RunState | undefined;

  constructor(
    readonly run: Id,
    private readonly actor = 'service:execution',
  ) {}

  /** All events, in the order in which they were stored. */
  readonly stored: StoredEvent[] = [];

  /** Each event is an append of its own. */
  tell(...events: readonly RunEvent[]): this {
    for (const event of events) this.append([event]);
    return this;
  }

  append(events: readonly RunEvent[], actor = this.actor): void {
    const before = this.branches.get(this.head) ?? [];
    const at = instantOf(BEGIN + this.seconds * 1_000);
    let state = this.newest ?? this.stateOf(this.head);
    const right = events.map((event) => {
      const told: RunEvent =
        event.type === 'CheckpointReached' ? { ...event, data: { ...event.data, stateDigest: stateDigest(state) } } : event;
      state = evolve(state, told, { revision: state.revision + 1, at, causationId: this.run });
      return told;
    });
    const context = {
      stream: runStream(this.run, this.head),
      expected: before.length === 0 ? ('no_stream' as const) : before.length - 1,
      prevHash: before.at(-1)?.metadata.hash ?? '',
      ns: 'default',
      runId: this.run,
      branch: this.head,
      at,
      actor,
      causationId: this.run,
    };
    this.keep(this.head, sealAppend(context, right));
    this.newest = state;
    this.seconds += 1;
  }

  /** Nothing happens for so many seconds. */
  pass(seconds: number): this {
    this.seconds += seconds;
    return this;
  }

  /** A step's failure is answered with a branch that the policy opens; where it is not opened at once, nothing is on it yet. */
  fallback(step: string, attempt: number, queue: string, opens = true): this {
    const { path } = this.stateOf(this.head);
    const decided = told.decided(step, attempt, 'retry');
    const spec: BranchSpec = {
      parent: { branch: this.head, revision: this.stateOf(this.head).revision + 1 },
      checkpoint: path.checkpoint,
      cause: 'fallback',
      reason: `${step} failed at attempt ${attempt}`,
      evidence: [`${this.head}@${this.stateOf(this.head).revision}`],
      changes: [{ op: 'replace', path: `/steps/${step}/queue`, value: queue }],
      carried: {
        attempts: [...path.attempts.entries()].map(([id]) => id).sort(),
        waits: [...path.waits.entries()].flatMap(([id, { open }]) => (open ? [id] : [])).sort(),
        failures: [...path.retries.entries()].flatMap(([id, { settled }]) => (settled ? [] : [id])).sort(),
        events: [],
      },
      effectsChoices: {},
      lesson: 'told',
    };
    const rule = `p@1#timeout; attempts ${attempt} of ${attempt}`;
    if (decided.type === 'RetryDecided')
      Object.assign(decided.data, {
        decision: 'fallback',
        justification: { ...decided.data.justification, rule },
        change: { fallback: 0 },
      });
    return this.supersede(spec, [decided], 'policy:p@1', opens);
  }

  /** The head announces its successor; `before` stands in the same append. */
  supersede(spec: BranchSpec, before: readonly RunEvent[], actor: string, opens = true): this {
    const successor = `b${this.branches.size + 1}`;
    this.append([...before, { type: 'BranchSuperseded', version: 1, data: { successor, spec } }], actor);
    this.branches.set(successor, []);
    this.head = successor;
    this.newest = undefined;
    if (opens) this.open();
    return this;
  }

  open(): this {
    const predecessor = [...this.branches].find(([, events]) => events.at(-1)?.data['successor'] === this.head)?.[0] ?? 'main';
    const event = this.branches.get(predecessor)?.at(-1);
    if (event?.type !== 'BranchSuperseded') throw new Error(`${this.head} is not announced`);
    const { parent } = (event.data as unknown as { spec: BranchSpec }).spec;
    const lineage = this.lineage();
    const before = lineage.at(predecessor);
    this.keep(
      this.head,
      derivedOpening({
        predecessor: before,
        beginning: beginningOf(this.head, lineage.at(parent.branch, parent.revision), before),
        event,
        parentHash: this.branches.get(parent.branch)?.[parent.revision]?.metadata.hash ?? '',
      }),
    );
    return this;
  }

  stateOf(branch: string): RunState {
    return this.lineage().at(branch);
  }

  lineage(): Lineage {
    return new Lineage(this.run, new Map([...this.branches].map(([name, events]) => [name, decodeRunEvents(events)])));
  }

  private keep(branch: string, events: readonly StoredEvent[]): void {
    this.branches.get(branch)?.push(...events);
    this.stored.push(...events);
  }
}

/** `a` is done, `b` fails and goes on on b2 with another queue, where the run ends well. `w` waits all the while. */
export function recovered(run: Id): BranchedHistory {
  return new BranchedHistory(run)
    .tell(told.started(), told.stepStarted('a'), told.checkpoint('w.wait', 'wait'), told.waitOpened(run, 'w', ['signal']))
    .tell(told.succeeded('a'), told.stepStarted('b'), told.failed('b'))
    .fallback('b', 1, 'other')
    .tell(stepOn('b', 2, 'other'), told.succeeded('b', 2));
}

/** An attempt in another queue. */
export const stepOn = (step: string, attempt: number, queue: string): RunEvent => ({
  type: 'StepStarted',
  version: 1,
  data: { step, attempt, attemptId: attemptId(step, attempt), queue, input: {}, params: {} },
});

/** A person's correction from there on: nothing goes on that was open. */
export const correctionFrom = (branch: string, revision: number): BranchSpec => ({
  parent: { branch, revision },
  checkpoint: null,
  cause: 'correction',
  reason: 'it was wrong',
  evidence: [],
  changes: [],
  carried: { attempts: [], waits: [], failures: [], events: [] },
  effectsChoices: {},
  lesson: 'told',
});
