import { planOf, type Definition, type Plan, type StartTrigger } from '@cairn/domain-definition';
import type { PinnedDocument } from '@cairn/domain-run';
import type { DefinitionApplied } from '@cairn/domain-schedule';
import { KEEP_DEFAULT_MS } from '@cairn/domain-schedule/decider';
import { invariant, withoutVersion, workflowStream } from '@cairn/kernel';
import type { Artifacts, EventStore } from '@cairn/ports';
import type { AppliedDefinition } from '../working-set/scheduling-set.js';
import { loadData } from '../intake/event-data.js';

/** A version of a workflow that is ready to start runs. */
export interface ShelvedWorkflow {
  readonly ns: string;
  readonly pinned: PinnedDocument;
  readonly plan: Plan;
  /** When it was applied. */
  readonly at: string;
}

export interface ShelvedStart {
  readonly workflow: ShelvedWorkflow;
  readonly trigger: StartTrigger;
}

/** The definitions of the working set, compiled, with what they name. Takes new ones off the history as it is asked. */
export class DefinitionShelf {
  private readonly newest = new Map<string, ShelvedWorkflow>();
  /** Longest `keep` by namespace and type without version, over every version ever applied. */
  private readonly keeps = new Map<string, number>();
  private shelved = 0;
  private shelving: Promise<void> | undefined;

  constructor(
    private readonly ports: { readonly store: EventStore; readonly artifacts: Artifacts },
    private readonly applied: readonly AppliedDefinition[],
  ) {}

  /** The version that a new run gets: the one applied last. Throws faults of the store and the artifacts. */
  async workflow(ns: string, name: string): Promise<ShelvedWorkflow | undefined> {
    await this.shelveAll();
    return this.newest.get(`${ns} ${name}`);
  }

  /** Start triggers for events of this type, in the order in which their workflows were first applied. */
  async startsOf(ns: string, type: string): Promise<readonly ShelvedStart[]> {
    await this.shelveAll();
    const starts: ShelvedStart[] = [];
    for (const workflow of this.newest.values()) {
      if (workflow.ns !== ns) continue;
      for (const trigger of workflow.plan.starts)
        if (trigger.type === type || trigger.type === withoutVersion(type)) starts.push({ workflow, trigger });
    }
    return starts;
  }

  /** How long an event of this type is kept, or `undefined`: no applied definition names the type. */
  async keepMsOf(ns: string, type: string): Promise<number | undefined> {
    await this.shelveAll();
    return this.keeps.get(`${ns} ${withoutVersion(type)}`);
  }

  /** The list of what was applied is another one now: everything is taken off the history again. */
  forget(): void {
    this.newest.clear();
    this.keeps.clear();
    this.shelved = 0;
  }

  /** Loading is in order and one at a time, so that the newest version is the one applied last. */
  private async shelveAll(): Promise<void> {
    while (this.shelved < this.applied.length) {
      this.shelving ??= this.shelveNext().finally(() => (this.shelving = undefined));
      await this.shelving;
    }
  }

  private async shelveNext(): Promise<void> {
    const applied = this.applied[this.shelved];
    if (applied === undefined) return;
    const plan = planOf(await this.load(applied));
    if (this.applied[this.shelved] !== applied) return; // Forgotten meanwhile.
    const { ns, name, version, hash, revision, at } = applied;
    this.newest.set(`${ns} ${name}`, { ns, pinned: { name, version, hash, revision }, plan, at });
    for (const [type, keepMs] of namedTypes(plan)) {
      const place = `${ns} ${withoutVersion(type)}`;
      this.keeps.set(place, Math.max(this.keeps.get(place) ?? 0, keepMs));
    }
    this.shelved += 1;
  }

  private async load({ ns, name, revision }: AppliedDefinition): Promise<Definition> {
    const stream = workflowStream(ns, name);
    const [event] = await this.ports.store.read(stream, revision, revision);
    invariant(event !== undefined, `${stream}@${revision} was delivered and is not there`);
    const { definition, definitionRef } = event.data as unknown as DefinitionApplied['data'];
    return (definition ?? (await loadData(this.ports.artifacts, { dataRef: definitionRef }))) as unknown as Definition;
  }
}

function namedTypes(plan: Plan): [type: string, keepMs: number][] {
  const starts = plan.starts.map(({ type, keepMs }) => [type, keepMs] satisfies [string, number]);
  const waits = plan.steps.flatMap(({ wait }) => wait?.triggers ?? []);
  return [
    ...starts,
    ...waits.flatMap((trigger) =>
      trigger.kind === 'event' ? [[trigger.type, trigger.keepMs ?? KEEP_DEFAULT_MS] satisfies [string, number]] : [],
    ),
  ];
}
