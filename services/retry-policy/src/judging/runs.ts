import { planOf, type Definition, type JsonPatchOp, type Plan, type PlannedStep } from '@cairn/domain-definition';
import { evolvePolicy, hashPolicy, type PolicyState } from '@cairn/domain-retry';
import {
  artifactHex,
  isPinOf,
  parseOccurrence,
  withRules,
  type ArtifactRef,
  type BranchOpened,
  type PinnedDocument,
  type RunStarted,
} from '@cairn/domain-run';
import { invariant, policyStream, runStream, workflowStream, type Id } from '@cairn/kernel';
import type { Artifacts, EventStore } from '@cairn/ports';

/** What a run is bound to, as far as judging needs it. */
export interface PinnedRun {
  readonly ns: string;
  readonly definition: PinnedDocument;
  readonly policies: readonly PinnedDocument[];
}

/** Runs, definitions and policies that are kept: forgetting one costs a read. */
const RUNS_MAX = 10_000;
const DOCUMENTS_MAX = 1_000;

/** What a branch is bound to, from its first event on: pins of its own before those that it has from its parent. */
interface PinnedBranch extends PinnedRun {
  /** What branches have changed about steps, the oldest first (C-MODIFIED). */
  readonly changes: readonly JsonPatchOp[];
}

/** The step of a failure and the policy that its branch has pinned for it, read from the history once and kept: an event never changes. */
export class Runs {
  private readonly branches = new Map<string, Promise<PinnedBranch>>();
  private readonly plans = new Map<string, Promise<Plan>>();
  private readonly policies = new Map<string, Promise<PolicyState>>();

  constructor(private readonly ports: { readonly store: EventStore; readonly artifacts: Artifacts }) {}

  /** Throws faults of the store and the artifacts; a pin that names nothing, or another hash, is a bug of whoever pinned. */
  async lookUp(
    { runId, branch }: { readonly runId: Id; readonly branch: string },
    occurrence: string,
  ): Promise<{ readonly plan: Plan; readonly step: PlannedStep; readonly policy: PolicyState }> {
    const pinned = await this.pinnedBy(runId, branch);
    const plan = await kept(this.plans, DOCUMENTS_MAX, `${pinned.ns} ${pinned.definition.hash}`, () => this.readPlan(pinned));
    const planned = plan.step(parseOccurrence(occurrence).step);
    invariant(planned !== undefined, `run ${runId}: ${occurrence} is no step of ${pinned.definition.name}@${pinned.definition.version}`);
    const step = withRules(planned, changesOf(planned.id, pinned.changes));
    const pin = pinned.policies.find((policy) => isPinOf(policy, step.retry));
    invariant(pin !== undefined, `run ${runId}: it has not pinned policy ${step.retry.name}`);
    return {
      plan,
      step,
      policy: await kept(this.policies, DOCUMENTS_MAX, `${pinned.ns} ${pin.name}@${pin.revision}`, () => this.readPolicy(pinned.ns, pin)),
    };
  }

  private pinnedBy(runId: Id, branch: string): Promise<PinnedBranch> {
    return kept(this.branches, RUNS_MAX, runStream(runId, branch), () => this.readPins(runId, branch));
  }

  private async readPins(runId: Id, branch: string): Promise<PinnedBranch> {
    const [first] = await this.ports.store.read(runStream(runId, branch), 0, 0);
    if (first?.type === 'BranchOpened') {
      const { parent, changes, definition, policies = [] } = first.data as unknown as BranchOpened['data'];
      const before = await this.pinnedBy(runId, parent.branch);
      return {
        ns: before.ns,
        definition: definition ?? before.definition,
        policies: [...before.policies, ...policies],
        changes: [...before.changes, ...changes],
      };
    }
    invariant(first?.type === 'RunStarted', `run ${runId} has no beginning`);
    const { ns, definition, policies } = first.data as unknown as RunStarted['data'];
    return { ns, definition, policies, changes: [] };
  }

  private async readPlan({ ns, definition: pin }: PinnedRun): Promise<Plan> {
    const [applied] = await this.ports.store.read(workflowStream(ns, pin.name), pin.revision, pin.revision);
    invariant(applied?.type === 'DefinitionApplied', `no definition at ${pin.name}@${pin.revision}`);
    const { definition, definitionRef } = applied.data as unknown as { definition?: Definition; definitionRef?: ArtifactRef };
    const plan = planOf(definition ?? (await this.load(definitionRef)));
    invariant(plan.hash === pin.hash, `definition ${pin.name}@${pin.revision} is not ${pin.hash}`);
    return plan;
  }

  private async load(ref: ArtifactRef | undefined): Promise<Definition> {
    const bytes = ref === undefined ? undefined : await this.ports.artifacts.get(artifactHex(ref));
    invariant(bytes !== undefined, `definition ${ref?.artifact ?? ''} is not there`);
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Definition;
  }

  private async readPolicy(ns: string, pin: PinnedDocument): Promise<PolicyState> {
    const [applied] = await this.ports.store.read(policyStream(ns, pin.name), pin.revision, pin.revision);
    const policy = applied === undefined ? undefined : evolvePolicy(undefined, applied);
    invariant(policy !== undefined, `no policy at ${pin.name}@${pin.revision}`);
    invariant(hashPolicy(policy.policy) === pin.hash, `policy ${pin.name}@${pin.revision} is not ${pin.hash}`);
    return policy;
  }
}

/** One reading at a time for each key. Full: what was read first goes. What failed is not kept. */
function kept<T>(known: Map<string, Promise<T>>, max: number, key: string, read: () => Promise<T>): Promise<T> {
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= max) known.delete(known.keys().next().value ?? '');
  const reading = read();
  known.set(key, reading);
  reading.catch(() => known.delete(key));
  return reading;
}

const changesOf = (step: string, changes: readonly JsonPatchOp[]): readonly JsonPatchOp[] =>
  changes.flatMap((op) => (op.path.startsWith(`/steps/${step}/`) ? [{ ...op, path: op.path.slice(`/steps/${step}`.length) }] : []));
