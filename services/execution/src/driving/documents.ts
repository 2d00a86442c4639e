import { planOf, type Definition, type Plan } from '@cairn/domain-definition';
import {
  artifactHex,
  definitionFound,
  definitionWanted,
  policiesWanted,
  policyText,
  versionsOf,
  type ArtifactRef,
  type BranchDocuments,
  type BranchRequest,
  type PinnedDocument,
  type RunStarted,
} from '@cairn/domain-run';
import { invariant, policyStream, workflowStream, type Json } from '@cairn/kernel';
import type { Artifacts, EventStore } from '@cairn/ports';

/** Definitions and policies as runs pin them, read from their own streams once and kept: an event never changes. */
export class Documents {
  private readonly plans = new Map<string, Plan>();
  private readonly policies = new Map<string, PinnedDocument>();

  constructor(
    private readonly store: EventStore,
    private readonly artifacts: Artifacts,
  ) {}

  /** The plan of a pinned definition if it was read before. */
  known(pin: PinnedDocument): Plan | undefined {
    return this.plans.get(pin.hash);
  }

  /** The plan of the definition that a run pins. Throws `StoreFault`; a pin that names nothing, or another hash, is a bug of whoever pinned. */
  async planFor(ns: string, pin: PinnedDocument): Promise<Plan> {
    const known = this.plans.get(pin.hash);
    if (known !== undefined) return known;
    const [applied] = await this.store.read(workflowStream(ns, pin.name), pin.revision, pin.revision);
    invariant(applied?.type === 'DefinitionApplied', `no definition at ${pin.name}@${pin.revision}`);
    const data = applied.data as unknown as { hash: string; definition?: Definition; definitionRef?: ArtifactRef };
    invariant(data.hash === pin.hash, `definition ${pin.name}@${pin.revision} is not ${pin.hash}`);
    const definition = data.definition ?? ((await this.load(data.definitionRef)) as unknown as Definition);
    const plan = planOf(definition);
    if (this.plans.size >= PLANS_MAX) this.plans.delete(this.plans.keys().next().value ?? '');
    this.plans.set(pin.hash, plan);
    return plan;
  }

  /**
   * The policies that a plan's steps name, pinned: the version they ask for, else the newest now. `missing` names one that does not
   * exist: its run cannot start yet.
   */
  async pinPolicies(ns: string, plan: Plan): Promise<{ readonly pins: readonly PinnedDocument[] } | { readonly missing: string }> {
    const pins: PinnedDocument[] = [];
    for (const { name, version } of plan.retryPolicies) {
      const pin = await this.pinPolicy(ns, name, version);
      if (pin === undefined) return { missing: version === undefined ? name : `${name}@${version}` };
      pins.push(pin);
    }
    return { pins };
  }

  /** What a branch asks for beside what its parent has pinned (`capabilities.md` §6). What is not there is told by its name. */
  async forBranch({ ns, definition, policies }: RunStarted['data'], request: BranchRequest): Promise<BranchDocuments> {
    const wanted = definitionWanted(request);
    const applied = wanted === undefined ? [] : await this.store.read(workflowStream(ns, definition.name));
    const pin = wanted && definitionFound(applied, wanted);
    const plan = pin && (await this.planFor(ns, pin));
    const pins: PinnedDocument[] = [];
    const missing: string[] = [];
    for (const policy of policiesWanted(request, plan, policies)) {
      const one = await this.pinPolicy(ns, policy.name, policy.version);
      if (one === undefined) missing.push(policyText(policy));
      else pins.push(one);
    }
    const other = pin === undefined || plan === undefined ? {} : { definition: { pin, plan } };
    return { ...other, ofParent: await this.planFor(ns, definition), versions: versionsOf(applied), policies: pins, missing };
  }

  /** A version never changes. Whether the newest is still that is one look behind it, so that a run pins what an apply has just answered for. */
  private async pinPolicy(ns: string, name: string, version: number | undefined): Promise<PinnedDocument | undefined> {
    const key = `${ns}+${name}@${version ?? 'newest'}`;
    const stream = policyStream(ns, name);
    const known = this.policies.get(key);
    if (known !== undefined && (version !== undefined || (await this.isLast(stream, known.revision)))) return known;
    const applied = await this.store.read(stream);
    const event = version === undefined ? applied.at(-1) : applied.find(({ data }) => data['version'] === version);
    if (event === undefined) return undefined;
    const pin = { name, version: event.data['version'] as number, hash: event.data['hash'] as string, revision: event.revision };
    this.policies.set(key, pin);
    return pin;
  }

  private async isLast(stream: string, revision: number): Promise<boolean> {
    return (await this.store.read(stream, revision + 1, revision + 1)).length === 0;
  }

  /** The JSON value that an artifact holds. Throws `ArtifactFault` if it is corrupt; that it is absent is a bug: it was durable first. */
  async load(ref: ArtifactRef | undefined): Promise<Json> {
    invariant(ref !== undefined, 'neither a value nor a reference');
    const bytes = await this.artifacts.get(artifactHex(ref));
    invariant(bytes !== undefined, `artifact ${ref.artifact} is not there`);
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  }
}

/** Plans kept in memory: a process that serves more definitions than this at once reads the rarest again. */
const PLANS_MAX = 1_000;
