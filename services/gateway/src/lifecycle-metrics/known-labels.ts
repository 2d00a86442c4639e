import { metricNames, type MetricDeclaration } from '@cairn/contracts';
import type { BranchCause, RetryVerdict } from '@cairn/domain-run';
import { outcomes } from '@cairn/domain-schedule';
import { bucketLabels } from './bucket-label.js';
import { resumeOrigins, resumeOutcomes, resumeTriggers } from './resume.js';

const decisions: readonly RetryVerdict[] = ['retry', 'retry_modified', 'fallback', 'reduce_scope', 'escalate', 'block', 'give_up'];

const causes: readonly BranchCause[] = ['retry_modified', 'fallback', 'reduced_scope', 'override', 'correction', 'what_if'];
const branchOutcomes = ['succeeded', 'reduced', 'superseded', 'failed', 'gave_up', 'cancelled', 'abandoned'] as const;

type LabelSets = Readonly<Record<string, readonly string[]>>;

/** Closed sets of the lifecycle metrics, beside the namespace. Only policies decide in this release: no series waits for people. */
const closed: ReadonlyMap<string, LabelSets> = new Map<string, LabelSets>([
  [metricNames.events, { outcome: outcomes }],
  [metricNames.retryAttempts, { bucket: bucketLabels, decision: decisions }],
  [metricNames.retryResolved, { bucket: bucketLabels }],
  [metricNames.resumes, { trigger: resumeTriggers, from: resumeOrigins, outcome: resumeOutcomes }],
  [metricNames.branchesOpened, { cause: causes }],
  [metricNames.manualCleanups, { verb: ['reconcile'] }],
  [metricNames.branchesEnded, { cause: causes, outcome: branchOutcomes }],
  [metricNames.failureToDecision, { bucket: bucketLabels, decider: ['policy'] }],
]);

/**
 * The declarations with every combination of closed labels known in each of these namespaces: shown as 0 from the start, or ratios stay
 * empty and the first increase is none (`experience.md` §2.1). Some 640 lines a namespace.
 */
export function withKnownLabels(declarations: readonly MetricDeclaration[], namespaces: readonly string[]): MetricDeclaration[] {
  return declarations.map((declaration) => {
    const sets = closed.get(declaration.name);
    return sets === undefined ? declaration : { ...declaration, known: combinations({ ns: namespaces, ...sets }) };
  });
}

function combinations(sets: LabelSets): Record<string, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(sets)) all = all.flatMap((before) => values.map((value) => ({ ...before, [label]: value })));
  return all;
}
