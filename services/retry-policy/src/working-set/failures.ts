import { canonicalLines, readCanonicalLines, type WorkingSetFold } from '@cairn/application';
import type { Evidence } from '@cairn/domain-definition';
import { runEnds, type Failure, type RetryDecided, type StepFailed } from '@cairn/domain-run';
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
  /** Number of the attempt: one follows the failure of another, so it is the number of the step's failures. */
  readonly attempt: number;
  /** Failed attempts of the run, this one included. */
  readonly failedInRun: number;
  readonly firstFailedAt: Instant;
  /** Absent where it is large or was put away: then it is read again. */
  readonly failure?: Failure;
}

/** What is known of the failures of a run that has not ended. Over all its branches: limits are counted in the ledger (I-12). */
interface Dossier {
  /** Last revision that was counted, by branch: what comes again counts once. */
  readonly folded: Map<string, Revision>;
  failed: number;
  readonly steps: Map<string, StepDossier>;
}

interface StepDossier {
  failed: number;
  readonly firstFailedAt: Instant;
  /** New evidence of each decision: together everything that the step has shown. */
  readonly shown: Evidence[];
}

/** A dossier as lines have it: maps are lists. */
interface StoredDossier {
  readonly folded: readonly [string, Revision][];
  readonly failed: number;
  readonly steps: readonly [string, StepDossier][];
}

/** Characters of an event up to which its failure is kept in memory until it is judged. */
const KEPT_CHARACTERS_MAX = 2_048;

/** `StepFailed` without `RetryDecided`: what retry-policy must not forget, and the dossiers that judging it needs. */
export class Failures implements WorkingSetFold {
  readonly name = 'retry-policy';
  readonly foldVersion = 3;
  readonly types = ['StepFailed', 'RetryDecided', ...runEnds];
  private readonly undecided = new Map<Id, Undecided>();
  private readonly dossiers = new Map<Id, Dossier>();
  /** Execution has answered for these; the history has not told it yet, so it is no part of the fold. */
  private readonly answered = new Set<Id>();

  fold(event: StoredEvent): void {
    const run = parseRunStream(event.stream);
    if (run === undefined) return;
    switch (event.type) {
      case 'StepFailed':
        return this.failed(event, run);
      case 'RetryDecided':
        return this.decided(event.data as unknown as RetryDecided['data'], run.runId);
      default:
        this.dossiers.delete(run.runId);
        for (const [attemptId, { runId }] of this.undecided) if (runId === run.runId) this.over(attemptId);
    }
  }

  /** Every failure that waits for a judgement, oldest first. */
  all(): readonly Undecided[] {
    return [...this.undecided.values()].filter(({ attemptId }) => !this.answered.has(attemptId));
  }

  get(attemptId: Id): Undecided | undefined {
    return this.answered.has(attemptId) ? undefined : this.undecided.get(attemptId);
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
        const { folded, failed, steps } = value as StoredDossier;
        this.dossiers.set(String(key), { folded: new Map(folded), failed, steps: new Map(steps) });
      }
    }
    undecided.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.revision - b.revision)); // As they came; of one run in its order.
    for (const one of undecided) this.undecided.set(one.attemptId, one);
  }

  fresh(): Failures {
    return new Failures();
  }

  private failed(event: StoredEvent, { runId, branch }: { runId: Id; branch: string }): void {
    const dossier = this.dossierOf(runId);
    const { revision, eventId, at } = event;
    if (revision <= (dossier.folded.get(branch) ?? -1)) return;
    dossier.folded.set(branch, revision);
    dossier.failed += 1;
    const { step, attemptId, failure } = event.data as unknown as StepFailed['data'];
    const known = dossier.steps.get(step);
    const counted = known ?? { failed: 0, firstFailedAt: at, shown: [] };
    if (known === undefined) dossier.steps.set(step, counted);
    counted.failed += 1;
    this.undecided.set(attemptId, {
      ns: event.metadata.ns,
      runId,
      branch,
      revision,
      eventId,
      at,
      step,
      attemptId,
      attempt: counted.failed,
      failedInRun: dossier.failed,
      firstFailedAt: counted.firstFailedAt,
      ...(event.body.length > KEPT_CHARACTERS_MAX ? {} : { failure }),
    });
  }

  private decided({ step, attemptId, justification }: RetryDecided['data'], runId: Id): void {
    this.over(attemptId);
    const shown = this.dossiers.get(runId)?.steps.get(step)?.shown;
    if (shown === undefined) return;
    for (const evidence of justification.newEvidence) if (!isShown(shown, evidence)) shown.push(evidence);
  }

  private over(attemptId: Id): void {
    this.undecided.delete(attemptId);
    this.answered.delete(attemptId);
  }

  private dossierOf(runId: Id): Dossier {
    const known = this.dossiers.get(runId);
    if (known !== undefined) return known;
    const dossier: Dossier = { folded: new Map(), failed: 0, steps: new Map() };
    this.dossiers.set(runId, dossier);
    return dossier;
  }
}

/** New evidence is new: the same again is the same event again. */
const isShown = (shown: readonly Evidence[], { digest, code, retryAfter }: Evidence): boolean =>
  shown.some((one) => one.digest === digest && one.code === code && one.retryAfter === retryAfter);
