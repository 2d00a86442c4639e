import { planOf, type Definition, type Plan, type PlannedStep } from '@cairn/domain-definition';
import { evolvePolicy, hashPolicy, type PolicyState } from '@cairn/domain-retry';
import { artifactHex, parseOccurrence, type ArtifactRef, type PinnedDocument, type RunStarted } from '@cairn/domain-run';
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

/** The step of a failure and the policy that its run pinned for it, read from the history once and kept: an event never changes. */
export class Runs {
  private readonly runs = new Map<Id, Promise<PinnedRun>>();
  private readonly plans = new Map<string, Promise<Plan>>();
  private readonly policies = new Map<string, Promise<PolicyState>>();

  constructor(private readonly ports: { readonly store: EventStore; readonly artifacts: Artifacts }) {}

  /** Throws faults of the store and the artifacts; a pin that names nothing, or another hash, is a bug of whoever pinned. */
  async lookUp(runId: Id, occurrence: string): Promise<{ readonly plan: Plan; readonly step: PlannedStep; readonly policy: PolicyState }> {
    const run = await kept(this.runs, RUNS_MAX, runId, () => this.readRun(runId));
    const plan = await kept(this.plans, DOCUMENTS_MAX, `${run.ns} ${run.definition.hash}`, () => this.readPlan(run));
    const step = plan.step(parseOccurrence(occurrence).step);
    invariant(step !== undefined, `run ${runId}: ${occurrence} is no step of ${run.definition.name}@${run.definition.version}`);
    const { name, version } = step.retry;
    const pin = run.policies.find((policy) => policy.name === name && (version === undefined || policy.version === version));
    invariant(pin !== undefined, `run ${runId}: it has not pinned policy ${name}`);
    return {
      plan,
      step,
      policy: await kept(this.policies, DOCUMENTS_MAX, `${run.ns} ${name}@${pin.revision}`, () => this.readPolicy(run.ns, pin)),
    };
  }

  private async readRun(runId: Id): Promise<PinnedRun> {
    const [started] = await this.ports.store.read(runStream(runId, 'main'), 0, 0);
    invariant(started?.type === 'RunStarted', `run ${runId} has no beginning`);
    const { ns, definition, policies } = started.data as unknown as RunStarted['data'];
    return { ns, definition, policies };
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
