import { instantOf, type Instant, type Json } from '@cairn/kernel';
import type { Plan, Scope, StepScope } from '@cairn/domain-definition';
import type { CommandContext } from './commands.js';
import { evolve } from './evolve.js';
import type { RunEvent } from './events.js';
import { entryOf } from './steps/evolve.js';
import type { RunState, StepOutput } from './state.js';

/** Values of outputs that the state holds by reference, by `sha256:<hex>`: loaded before a decision, never during it. */
export type LoadedOutputs = ReadonlyMap<string, Json>;

export const NOTHING_LOADED: LoadedOutputs = new Map();

/**
 * One decision under construction: the events so far and the state that they give. Local to one call of a decider, which is why
 * it may change itself; what goes in and comes out is immutable.
 */
export class Draft {
  readonly events: RunEvent[] = [];
  readonly at: Instant;

  constructor(
    readonly plan: Plan,
    public state: RunState,
    readonly context: CommandContext,
    private readonly loaded: LoadedOutputs,
  ) {
    this.at = instantOf(context.now);
  }

  /** Adds an event and folds it: the state after the last one is the state that the history will give. */
  add(event: RunEvent): void {
    this.events.push(event);
    this.state = evolve(this.state, event, { revision: this.state.revision + 1, at: this.at, causationId: this.context.causationId });
  }

  /** What expressions may see, with the steps that they name. Throws if an output that is needed was not loaded: a bug of the driver. */
  scope(stepRefs: readonly string[], more: Scope = {}): Scope {
    const { started, runId, branch, opened } = this.state;
    if (started === null) return more;
    const steps: Record<string, StepScope> = {};
    for (const id of stepRefs) {
      const entry = entryOf(this.state, id);
      steps[id] =
        entry === undefined
          ? { status: 'pending', output: null, attempts: 0 }
          : { status: entry.status, output: this.valueOf(entry.output), attempts: entry.attempts };
    }
    return {
      run: { id: runId, ns: started.ns, workflow: started.workflow, key: started.key ?? null, goal: started.goal },
      branch: { name: branch, cause: opened?.cause ?? null, actor: opened?.actor ?? null },
      input: started.input,
      callbacks: this.plan.callbacks,
      steps,
      ...more,
    };
  }

  valueOf(output: StepOutput | null): Json {
    if (output === null) return null;
    if ('value' in output) return output.value;
    const value = this.loaded.get(output.ref.artifact);
    if (value === undefined) throw new MissingOutput(output.ref.artifact);
    return value;
  }
}

/** A decision needed an output that was not loaded. The driver loads it and decides again. */
export class MissingOutput extends Error {
  readonly code = 'missing_output';
  override readonly name = 'MissingOutput';
  constructor(readonly artifact: string) {
    super(`output ${artifact} is not loaded`);
  }
}
