import { compileDefinition, type Definition } from '@cairn/domain-definition';
import type { FieldError } from '@cairn/kernel';
import type {
  DecideFields,
  EffectFields,
  EmitFields,
  ReducedFields,
  ReviewFields,
  SchemaOf,
  StartFields,
  StepFields,
  TaskFields,
  Value,
  WaitFields,
  WorkFields,
  WorkflowOptions,
} from './workflow-fields.js';
import { withoutRefs } from './workflow-ref.js';
import { jsonSchemaOf } from './workflow-schema-of.js';

/** A workflow that cannot run as it is written: every problem, with pointer, rule and sentence. */
export class DefinitionRefused extends Error {
  readonly code = 'definition_refused';
  override readonly name = 'DefinitionRefused';

  constructor(
    workflowName: string,
    readonly errors: readonly FieldError[],
  ) {
    super(
      `${workflowName} is not a workflow:\n${errors.map(({ pointer, rule, says }) => `  ${pointer === '' ? '/' : pointer} ${rule}: ${says}`).join('\n')}`,
    );
  }
}

/**
 * Begins a workflow. The result of `build()` is data and gives the same bytes, and so the same hash, as the YAML or JSON of the same workflow.
 * No code of yours becomes part of it: conditions are CEL, work is done by handlers.
 */
export function workflow(name: string, options: WorkflowOptions): WorkflowBuilder {
  return new WorkflowBuilder({ cairn: 1, name, ...options }, []);
}

type Fields = { readonly [field: string]: unknown };

/** Fields of a kind, which stand below its name; all others are common to every step. */
const WAIT = [
  'any',
  'all',
  'atLeast',
  'deadline',
  'noDeadline',
  'onDeadline',
  'staleAfter',
  'staleReview',
  'guard',
  'lookBack',
  'keepOpen',
] as const;
const REVIEW = [
  'queue',
  'question',
  'verdicts',
  'authorises',
  'editable',
  'candidates',
  'quorum',
  'deadline',
  'onDeadline',
  'escalate',
  'receiptTtl',
  'evidence',
] as const;

/** Every call gives a new builder: a common beginning may be continued in two ways. */
export class WorkflowBuilder {
  readonly #document: Fields;
  readonly #steps: readonly Fields[];

  constructor(document: Fields, steps: readonly Fields[]) {
    this.#document = document;
    this.#steps = steps;
  }

  /** What a run must be given. A start with other input is refused. */
  input(schema: SchemaOf): WorkflowBuilder {
    return this.#with({ input: jsonSchemaOf(schema) });
  }

  /** What a run gives: a value made of what its steps gave, checked by a schema. */
  output(output: { readonly schema?: SchemaOf; readonly value?: Value }): WorkflowBuilder {
    const { schema, ...rest } = output;
    return this.#with({ output: schema === undefined ? rest : { ...rest, schema: jsonSchemaOf(schema) } });
  }

  /** An event that starts a run. May be said more than once. */
  on(start: StartFields): WorkflowBuilder {
    const starts = (this.#document['on'] ?? []) as readonly StartFields[];
    return this.#with({ on: [...starts, start] });
  }

  /** Repeatable work on a queue, without lasting effect outside. */
  task(id: string, fields: TaskFields): WorkflowBuilder {
    const { queue, ...common } = fields;
    return this.#step(id, common, { task: { queue } });
  }

  /** What an expression cannot say: a handler answers `{ choice, because }`, read as `steps.<id>.output.choice`. */
  decide(id: string, fields: DecideFields): WorkflowBuilder {
    const { queue, choices, ...common } = fields;
    return this.#step(id, common, { decide: { queue, choices } });
  }

  /** An act on the outside world, done by a handler under a key that stays the same over all its attempts. */
  effect(id: string, fields: EffectFields): WorkflowBuilder {
    const { queue, key, fields: meaning, guarantee, reconcile, compensate, ...common } = fields;
    return this.#step(id, common, { effect: { queue, key, fields: meaning, guarantee, reconcile, compensate } });
  }

  /** The run pauses until a trigger comes, or the deadline. */
  wait(id: string, fields: WaitFields): WorkflowBuilder {
    const [wait, common] = parted(fields, WAIT);
    return this.#step(id, common, { wait });
  }

  /**
   * People decide whether the run goes on, and see exactly what they approve: a step that it authorises starts only with an approval of what
   * then runs.
   */
  review(id: string, fields: ReviewFields): WorkflowBuilder {
    const [review, common] = parted(fields, REVIEW);
    return this.#step(id, common, { review });
  }

  /** Tells the world: an event that others, or other workflows, may hear. */
  emit(id: string, fields: EmitFields): WorkflowBuilder {
    const { type, key, data, ...common } = fields;
    return this.#step(id, common, { emit: { type, key, data } });
  }

  /**
   * A way to get by with less: steps that are dropped, and others that then take their place. Taken where the retry policy says `reduce`, or
   * by a person. The first of its steps starts at once, unless its `after` says otherwise.
   */
  reduced(id: string, path: ReducedFields, steps: (path: WorkflowBuilder) => WorkflowBuilder = (none) => none): WorkflowBuilder {
    const paths = (this.#document['reduced'] ?? []) as readonly Fields[];
    return this.#with({ reduced: [...paths, { id, ...path, steps: steps(new WorkflowBuilder({}, [])).#steps }] });
  }

  /** The definition in canonical form. Throws one `DefinitionRefused` that lists everything that is wrong. */
  build(): Definition {
    const compiled = compileDefinition(defined(withoutRefs({ ...this.#document, steps: this.#steps })));
    if (compiled.ok) return compiled.definition;
    throw new DefinitionRefused(String(this.#document['name']), compiled.errors);
  }

  #with(fields: Fields): WorkflowBuilder {
    return new WorkflowBuilder({ ...this.#document, ...fields }, this.#steps);
  }

  #step(id: string, common: StepFields & Pick<WorkFields, 'output'>, kind: Fields): WorkflowBuilder {
    const output = common.output === undefined ? {} : { output: jsonSchemaOf(common.output) };
    return new WorkflowBuilder(this.#document, [...this.#steps, { id, ...common, ...output, ...kind }]);
  }
}

/** Without members that are undefined, which JSON does not have. */
function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(defined);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, field]) => (field === undefined ? [] : [[key, defined(field)]])));
}

/** What is the kind's own, and the rest. */
function parted<F extends object, K extends keyof F>(fields: F, own: readonly K[]): [Pick<F, K>, Omit<F, K>] {
  const isOwn = ([name]: readonly [string, unknown]): boolean => (own as readonly PropertyKey[]).includes(name);
  const entries = Object.entries(fields);
  return [Object.fromEntries(entries.filter(isOwn)), Object.fromEntries(entries.filter((entry) => !isOwn(entry)))] as [
    Pick<F, K>,
    Omit<F, K>,
  ];
}
