import type { Plan } from '../plan.js';
import { at } from '../pointer.js';
import type { Problems } from '../problems.js';

/**
 * Rules of judgement, which a waiver with a reason silences. In class `long` they refuse, else they warn; those of `ALWAYS` refuse in every
 * class. The other rules say that a definition cannot run, which no waiver changes.
 */
export const judgements = [
  'wait-without-deadline',
  'wait-without-key',
  'wait-without-staleness',
  'effect-without-guarantee',
  'effect-without-review',
  'nullable-ref',
] as const;
export type Judgement = (typeof judgements)[number];

const ALWAYS: ReadonlySet<Judgement> = new Set(['effect-without-review']);

/** The `waive` list of a document. A silenced rule becomes a warning that carries its reason: silent, but not hidden. */
export class Waivers {
  readonly #used = new Set<number>();

  constructor(
    private readonly plan: Plan,
    private readonly problems: Problems,
  ) {}

  /** Reports a finding of one step as error, as warning, or as silenced. */
  find(rule: Judgement, step: string | undefined, pointer: string, says: string): void {
    const list = this.plan.definition.waive ?? [];
    const index = list.findIndex((waiver) => waiver?.rule === rule && (waiver.step === undefined || waiver.step === step));
    const waiver = list[index];
    if (waiver !== undefined) {
      this.#used.add(index);
      this.problems.warning(pointer, rule, `${says} (waived: ${waiver.because})`);
    } else if (this.plan.class === 'long' || ALWAYS.has(rule)) this.problems.error(pointer, rule, says);
    else this.problems.warning(pointer, rule, says);
  }

  /** A waiver that silences nothing is a mistake in its rule or step, or has outlived its cause. */
  reportUnused(): void {
    for (const [i, waiver] of (this.plan.definition.waive ?? []).entries()) {
      if (waiver === null) continue; // Refused before.
      const known = (judgements as readonly string[]).includes(waiver.rule);
      if (!known)
        this.problems.error(
          at('/waive', i, 'rule'),
          'not_waivable',
          `${waiver.rule} cannot be waived; these can: ${judgements.join(', ')}`,
        );
      else if (waiver.step !== undefined && this.plan.step(waiver.step) === undefined) {
        this.problems.error(at('/waive', i, 'step'), 'unknown-ref', `there is no step ${waiver.step}`);
      } else if (!this.#used.has(i)) this.problems.warning(at('/waive', i), 'waiver-unused', `silences nothing: ${waiver.rule}`);
    }
  }
}
