import { canonicalLines, readCanonicalLines, type WorkingSetFold } from '@cairn/application';
import type { Evidence } from '@cairn/domain-definition';
import type { TakenWays } from '@cairn/domain-retry/decider';
import { parseOccurrence, runEnds, type Failure, type RetryDecided, type StepFailed, type VerdictApplied } from '@cairn/domain-run';
import { FIRST_BRANCH } from '@cairn/ports';
import { parseRunStream, type Id, type Instant, type Revision, type StoredEvent } from '@cairn/kernel';

/** A failure that nobody has judged yet, with what its run's history up to it says. */
export interface Undecided {
  readonly ns: string;
  readonly runId: Id;
  readonly branch: string;
  readonly revision: Revision;
  readonly eventId: Id;
  readonly at: Instant;
  readonly step: string;
  readonly attemptId: Id;
  /** Number of the attempt: one follows the failure of another, so it is the number of the step's failures, over all branches. */
  readonly attempt: number;
  /** The same since the step took the alternative by which it works. */
  readonly since?: { readonly attempt: number; readonly firstFailedAt: Instant };
  /** Failed attempts of the run, this one included. */
  readonly failedInRun: number;
  readonly firstFailedAt: Instant;
  /** What the run has taken of the ways that its definition declares. */
  readonly taken: TakenWays;
  /** The queue that a person has given the step. */
  readonly givenQueue?: string;
  /** The working set had forgotten the run, which had ended: all this is to be counted from the history. */
  readonly partial?: true;
  /** An earlier attempt may have changed the world outside, and nobody has found out since. */
  readonly inDoubt: boolean;
  /** It was found out later that nothing has happened outside, whatever the failure said then. */
  readonly foundAbsent?: true;
  /** Absent where it is large or was put away: then it is read again. */
  readonly failure?: Failure;
}

/** What is known of the failures of a run that has not ended. Over all its branches: limits are counted in the ledger (I-12). */
interface Dossier {
  /** Last revision that was counted, by branch: what comes again counts once. */
  readonly folded: Map<string, Revision>;
  failed: number;
  readonly steps: Map<string, StepDossier>;
  /** By id of a step, whatever its turn: how many of its alternatives were taken. */
  readonly fallbacks: Map<string, number>;
  /** Ids of steps that work in another way than they began. */
  readonly anew: string[];
  /** Ids of the reduced paths that were taken. */
  readonly reduced: string[];
  /** By id of a step: the queue that a person has given it last. */
  readonly queues: Map<string, string>;
  /** Branches that act on nothing: their end is not that of the run. */
  readonly shadows: string[];
  /** The run was forgotten when it ended, and was recovered: what is here is not all. */
  readonly partial?: true;
}

interface StepDossier {
  failed: number;
  readonly firstFailedAt: Instant;
  /** Failures since an alternative was taken, and the first of them. Absent: none was. */
  since?: { failed: number; firstFailedAt?: Instant };
  /** The attempts so far may have changed the world outside. */
  inDoubt: boolean;
  /** The last failure, where it is blocked over what it may have done outside: once that is known to be nothing it is judged anew. */
  blocked?: Undecided;
  /** New evidence of each decision: together everything that the step has shown. */
  readonly shown: Evidence[];
}

/** A dossier as lines have it: maps are lists. */
interface StoredDossier {
  readonly folded: readonly [string, Revision][];
  readonly failed: number;
  readonly steps: readonly [string, StepDossier][];
  readonly fallbacks: readonly [string, number][];
  readonly anew: string[];
  readonly reduced: string[];
  readonly queues: readonly [string, string][];
  readonly shadows: string[];
  readonly partial?: true;
}

/** Characters of an event up to which its failure is kept in memory until it is judged. */
const KEPT_CHARACTERS_MAX = 2_048;

/** `StepFailed` without `RetryDecided`: what retry-policy must not forget, and the dossiers that judging it needs. */
export class Failures implements WorkingSetFold {
  readonly name = 'retry-policy';
  readonly foldVersion = 7;
  readonly types = [
    'StepFailed',
    'RetryDecided',
    'VerdictApplied',
    'EffectAbsent',
    'EffectUnknown',
    'BranchOpened',
    'BranchAbandoned',
    ...runEnds,
  ];
  private readonly undecided = new Map<Id, Undecided>();
  private readonly dossiers = new Map<Id, Dossier>();
  /** Execution has answered for these; the history has not told it yet, so it is no part of the fold. */
  private readonly answered = new Set<Id>();

  /** `forgets: false`: what is known of a run stays when it ends. */
  constructor(private readonly options: { readonly forgets: boolean } = { forgets: true }) {}

  fold(event: StoredEvent): void {
    const run = parseRunStream(event.stream);
    if (run === undefined) return;
    switch (event.type) {
      case 'StepFailed':
        return this.failed(event, run);
      case 'RetryDecided':
        return this.decided(event, run);
      case 'VerdictApplied':
        return this.decidedByPeople(event, run);
      case 'EffectAbsent':
        return this.foundAbsent(event, run);
      case 'EffectUnknown':
        return; // Who is found out about is rung: what nobody can tell is judged as it is.
      case 'BranchOpened':
        return this.opened(event, run);
      case 'BranchAbandoned':
        return this.closed(run.runId, run.branch);
      default:
        if (!this.options.forgets || !(runEnds as readonly string[]).includes(event.type)) return;
        if (this.dossiers.get(run.runId)?.shadows.includes(run.branch) === true) return this.closed(run.runId, run.branch);
        this.dossiers.delete(run.runId);
        return this.closed(run.runId);
    }
  }

  /** Every failure that waits for a judgement, oldest first. */
  all(): readonly Undecided[] {
    return [...this.undecided.values()].filter(({ attemptId }) => !this.answered.has(attemptId));
  }

  get(attemptId: Id): Undecided | undefined {
    return this.answered.has(attemptId) ? undefined : this.undecided.get(attemptId);
  }

  /** Those of one run. */
  of(runId: Id): readonly Undecided[] {
    return this.all().filter((one) => one.runId === runId);
  }

  /** What the earlier attempts of a step have shown. */
  shown({ runId, step }: Pick<Undecided, 'runId' | 'step'>): readonly Evidence[] {
    return this.dossiers.get(runId)?.steps.get(step)?.shown ?? [];
  }

  /** Execution has answered: it is decided, or needs no decision any more. */
  settle(attemptId: Id): void {
    if (this.undecided.has(attemptId)) this.answered.add(attemptId);
  }

  reset(): void {
    this.undecided.clear();
    this.answered.clear();
    this.dossiers.clear();
  }

  lines(): readonly string[] {
    return canonicalLines([
      // A failure may be large, and is read again.
      ...[...this.undecided].map(([attemptId, { failure: _, ...rest }]) => ['undecided', attemptId, rest] as const),
      ...[...this.dossiers].map(([runId, dossier]) => ['dossier', runId, dossier] as const),
    ]);
  }

  deserialize(text: string): void {
    this.reset();
    const undecided: Undecided[] = [];
    for (const [kind, key, value] of readCanonicalLines(text)) {
      if (kind === 'undecided') undecided.push(value as Undecided);
      else {
        const { folded, steps, fallbacks, queues, ...rest } = value as StoredDossier;
        const maps = { folded: new Map(folded), steps: new Map(steps), fallbacks: new Map(fallbacks), queues: new Map(queues) };
        this.dossiers.set(String(key), { ...rest, ...maps });
      }
    }
    undecided.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.revision - b.revision)); // As they came; of one run in its order.
    for (const one of undecided) this.undecided.set(one.attemptId, one);
  }

  fresh(): Failures {
    return new Failures();
  }

  private failed(event: StoredEvent, { runId, branch }: RunBranch): void {
    const dossier = this.dossierOf(runId, branch);
    if (dossier.shadows.includes(branch)) return; // It acts on nothing, and stops where it fails: no limit of the run counts it.
    if (!isNew(dossier, branch, event.revision)) return;
    const { revision, eventId, at } = event;
    dossier.failed += 1;
    const { step, attemptId, failure } = event.data as unknown as StepFailed['data'];
    const counted = stepOf(dossier, step, at);
    counted.failed += 1;
    delete counted.blocked;
    if (counted.since !== undefined) counted.since = { failed: counted.since.failed + 1, firstFailedAt: counted.since.firstFailedAt ?? at };
    const { failed, firstFailedAt, since, inDoubt } = counted;
    const { step: id } = parseOccurrence(step);
    const givenQueue = dossier.queues.get(id);
    this.undecided.set(attemptId, {
      ns: event.metadata.ns,
      runId,
      branch,
      revision,
      eventId,
      at,
      step,
      attemptId,
      attempt: failed,
      ...(since === undefined ? {} : { since: { attempt: since.failed, firstFailedAt: since.firstFailedAt ?? at } }),
      failedInRun: dossier.failed,
      firstFailedAt,
      taken: { fallback: dossier.fallbacks.get(id) ?? 0, reduced: [...dossier.reduced] },
      ...(givenQueue === undefined ? {} : { givenQueue }),
      ...(dossier.partial === true ? { partial: true } : {}),
      inDoubt,
      ...(event.body.length > KEPT_CHARACTERS_MAX ? {} : { failure }),
    });
    counted.inDoubt ||= failure.sideEffect !== 'none';
  }

  private decided(event: StoredEvent, { runId, branch }: RunBranch): void {
    const { step, attemptId, decision, justification, change } = event.data as unknown as RetryDecided['data'];
    const judged = this.undecided.get(attemptId);
    this.over(attemptId);
    const dossier = this.dossiers.get(runId);
    if (dossier === undefined || !isNew(dossier, branch, event.revision)) return;
    const decided = dossier.steps.get(step);
    if (decided !== undefined && judged !== undefined && (decision === 'block' || decision === 'escalate')) {
      const { failure: _, ...rest } = judged; // It is read again.
      decided.blocked = rest;
    }
    const shown = dossier.steps.get(step)?.shown ?? [];
    for (const evidence of justification.newEvidence) if (!isShown(shown, evidence)) shown.push(evidence);
    if (typeof change?.['fallback'] === 'number') takeFallback(dossier, parseOccurrence(step).step, change['fallback'] + 1);
    if (typeof change?.['reduce'] === 'string' && !dossier.reduced.includes(change['reduce'])) dossier.reduced.push(change['reduce']);
  }

  /** A way that people have gone is gone: no policy goes it again. */
  private decidedByPeople(event: StoredEvent, { runId, branch }: RunBranch): void {
    const { step, attemptId, then } = event.data as unknown as VerdictApplied['data'];
    const dossier = this.dossiers.get(runId);
    if (attemptId === undefined || dossier === undefined || !isNew(dossier, branch, event.revision)) return;
    const [way, which = ''] = then.split(':');
    if (way === 'fallback') takeFallback(dossier, parseOccurrence(step).step, Number(which) + 1);
    if (way === 'reduce' && !dossier.reduced.includes(which)) dossier.reduced.push(which);
  }

  /** What earlier attempts left in doubt is found out: their effect has not happened. */
  private foundAbsent(event: StoredEvent, { runId, branch }: RunBranch): void {
    const dossier = this.dossiers.get(runId);
    if (dossier === undefined || !isNew(dossier, branch, event.revision)) return;
    const step = dossier.steps.get((event.data as unknown as { readonly step: string }).step);
    if (step === undefined) return;
    step.inDoubt = false;
    for (const one of this.undecided.values())
      if (one.runId === runId && one.step === event.data['step'])
        this.undecided.set(one.attemptId, { ...one, inDoubt: false, foundAbsent: true });
    if (step.blocked === undefined) return;
    this.undecided.set(step.blocked.attemptId, { ...step.blocked, inDoubt: false, foundAbsent: true });
    delete step.blocked;
  }

  private opened(event: StoredEvent, { runId, branch }: RunBranch): void {
    const { shadow, actor, changes } = event.data as unknown as Opened;
    if (shadow) {
      const { shadows } = this.dossierOf(runId, branch);
      if (!shadows.includes(branch)) shadows.push(branch);
    } else if (!actor.startsWith('policy:')) this.changedByHand(runId, branch, event.revision, changes);
  }

  /** What a person has changed is tried as an alternative is: a rule counts anew. Changes of a policy stand in its `RetryDecided`. */
  private changedByHand(runId: Id, branch: string, revision: Revision, changes: Opened['changes']): void {
    const dossier = this.dossiers.get(runId);
    if (dossier === undefined || !isNew(dossier, branch, revision)) return;
    for (const { path, value } of changes) {
      const [, slice, id = '', member] = path.split('/');
      if (slice === 'scope' && typeof value === 'string' && !dossier.reduced.includes(value)) dossier.reduced.push(value);
      if (slice !== 'steps') continue;
      countAnew(dossier, id);
      if (member === 'queue' && typeof value === 'string') dossier.queues.set(id, value);
    }
  }

  /** Nobody waits for a judgement there any more: on one branch, or in the whole run. */
  private closed(runId: Id, branch?: string): void {
    for (const [attemptId, one] of this.undecided)
      if (one.runId === runId && (branch === undefined || one.branch === branch)) this.over(attemptId);
  }

  private over(attemptId: Id): void {
    this.undecided.delete(attemptId);
    this.answered.delete(attemptId);
  }

  private dossierOf(runId: Id, branch: string): Dossier {
    const known = this.dossiers.get(runId);
    if (known !== undefined) return known;
    const dossier: Dossier = {
      folded: new Map(),
      failed: 0,
      steps: new Map(),
      fallbacks: new Map(),
      anew: [],
      reduced: [],
      queues: new Map(),
      shadows: [],
      ...(branch === FIRST_BRANCH ? {} : { partial: true }),
    };
    this.dossiers.set(runId, dossier);
    return dossier;
  }
}

/** What is read of a `BranchOpened`. */
interface Opened {
  readonly shadow: boolean;
  readonly actor: string;
  readonly changes: readonly { readonly path: string; readonly value?: unknown }[];
}

interface RunBranch {
  readonly runId: Id;
  readonly branch: string;
}

/** Whether an event of a branch is counted for the first time; from now on it was. */
function isNew({ folded }: Dossier, branch: string, revision: Revision): boolean {
  if (revision <= (folded.get(branch) ?? -1)) return false;
  folded.set(branch, revision);
  return true;
}

function stepOf({ steps, anew }: Dossier, step: string, firstFailedAt: Instant): StepDossier {
  const known = steps.get(step);
  if (known !== undefined) return known;
  const isChanged = anew.includes(parseOccurrence(step).step);
  const made: StepDossier = { failed: 0, firstFailedAt, inDoubt: false, shown: [], ...(isChanged ? { since: { failed: 0 } } : {}) };
  steps.set(step, made);
  return made;
}

function takeFallback(dossier: Dossier, id: string, taken: number): void {
  dossier.fallbacks.set(id, Math.max(taken, dossier.fallbacks.get(id) ?? 0));
  countAnew(dossier, id);
}

/** From here on the step works in another way: in each of its turns tries count anew. */
function countAnew({ steps, anew }: Dossier, id: string): void {
  if (!anew.includes(id)) anew.push(id);
  for (const [step, dossier] of steps) if (parseOccurrence(step).step === id) dossier.since = { failed: 0 };
}

/** New evidence is new: the same again is the same event again. */
const isShown = (shown: readonly Evidence[], { digest, code, retryAfter }: Evidence): boolean =>
  shown.some((one) => one.digest === digest && one.code === code && one.retryAfter === retryAfter);
