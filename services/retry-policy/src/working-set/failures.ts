import type { WorkingSetFold } from '@cairn/application';
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

/** Characters of an event up to which its failure is kept in memory until it is judged. */
const KEPT_CHARACTERS_MAX = 2_048;

/** `StepFailed` without `RetryDecided`: what retry-policy must not forget, and the dossiers that judging it needs. */
export class Failures implements WorkingSetFold {
  readonly name = 'retry-policy';
  readonly foldVersion = 2;
  readonly types = ['StepFailed', 'RetryDecided', ...runEnds];
  private readonly undecided = new Map<Id, Undecided>();
  private readonly dossiers = new Map<Id, Dossier>();

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
        for (const [attemptId, { runId }] of this.undecided) if (runId === run.runId) this.undecided.delete(attemptId);
    }
  }

  /** Every failure that waits for a judgement, oldest first. */
  all(): readonly Undecided[] {
    return [...this.undecided.values()];
  }

  get(attemptId: Id): Undecided | undefined {
    return this.undecided.get(attemptId);
  }

  /** What the earlier attempts of a step have shown. */
  shown({ runId, step }: Pick<Undecided, 'runId' | 'step'>): readonly Evidence[] {
    return this.dossiers.get(runId)?.steps.get(step)?.shown ?? [];
  }

  /** Execution has answered: it is decided, or needs no decision any more. */
  settle(attemptId: Id): void {
    this.undecided.delete(attemptId);
  }

  reset(): void {
    this.undecided.clear();
    this.dossiers.clear();
  }

  serialize(): string {
    const dossiers = [...this.dossiers].map(([runId, { folded, failed, steps }]) => [runId, [...folded], failed, [...steps]]);
    return JSON.stringify({ undecided: this.all().map(({ failure: _, ...rest }) => rest), dossiers });
  }

  deserialize(text: string): void {
    this.reset();
    const { undecided, dossiers } = JSON.parse(text) as {
      undecided: Undecided[];
      dossiers: [Id, [string, Revision][], number, [string, StepDossier][]][];
    };
    for (const one of undecided) this.undecided.set(one.attemptId, one);
    for (const [runId, folded, failed, steps] of dossiers)
      this.dossiers.set(runId, { folded: new Map(folded), failed, steps: new Map(steps) });
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
    this.undecided.delete(attemptId);
    const shown = this.dossiers.get(runId)?.steps.get(step)?.shown;
    if (shown === undefined) return;
    for (const evidence of justification.newEvidence) if (!isShown(shown, evidence)) shown.push(evidence);
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
