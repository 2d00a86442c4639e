import type { FieldError, Json } from '@cairn/kernel';
import type { Access } from './cel-tree.js';
import { compileValue, conditionOf } from './cel.js';
import type { JsonSchema } from './document.js';
import type { Expression, Root, Template } from './expressions.js';
import { validatorOf } from './json-schema.js';
import type { Problems } from './problems.js';
import { compileTemplate } from './template.js';

/** What a step's expressions may read. */
export const STEP_ROOTS: readonly Root[] = ['run', 'branch', 'input', 'steps'];
/** In input and params of a step with a handler: also the links that it may hand out. */
export const WORK_ROOTS: readonly Root[] = [...STEP_ROOTS, 'callbacks'];
/** In input and params of a step that repeats: also the turn that starts. */
export const TURN_ROOTS: readonly Root[] = [...WORK_ROOTS, 'turn'];
/** In `repeat.until`: also the turn that ended. */
export const UNTIL_ROOTS: readonly Root[] = [...STEP_ROOTS, 'output', 'turn'];
/** In a wait's guard: also the event that would wake it. */
export const GUARD_ROOTS: readonly Root[] = [...STEP_ROOTS, 'event'];
/** In start triggers and in `where`: the event alone. Events are matched without any run at hand. */
export const EVENT_ROOTS: readonly Root[] = ['event'];
/** In goal and attributes, which are fixed when the run starts. */
export const RUN_ROOTS: readonly Root[] = ['run', 'input'];

/** What an expression reads, and where it stands: what the lint of references looks at. */
export interface Use {
  readonly pointer: string;
  /** The step that it belongs to; absent for the workflow's own output. */
  readonly step?: string;
  readonly accesses: readonly Access[];
}

/** Compiles the parts of one definition, gathers what is wrong with them and what they read. */
export class PlanCompiler {
  readonly uses: Use[] = [];

  constructor(readonly problems: Problems) {}

  template(value: Json, roots: readonly Root[], pointer: string, step?: string): Template {
    const compiled = compileTemplate(value, roots, pointer);
    for (const problem of compiled.problems) this.problems.error(problem.pointer, 'expression', problem.says);
    for (const use of compiled.expressions) this.#note(use.pointer, step, use.expression.accesses);
    return compiled.template;
  }

  expression(source: string, roots: readonly Root[], pointer: string, step?: string): Expression {
    const compiled = compileValue(source, roots);
    if (compiled.ok) {
      this.#note(pointer, step, compiled.expression.accesses);
      return conditionOf(compiled.expression);
    }
    const { says } = compiled;
    this.problems.error(pointer, 'expression', says);
    return { source, stepRefs: [], evaluate: () => ({ ok: false, error: says }) };
  }

  /** A validator for values of a schema. What is wrong with the schema itself is reported. */
  schema(schema: JsonSchema | undefined, pointer: string): (value: Json) => FieldError[] {
    if (schema === undefined) return () => [];
    try {
      return validatorOf(schema);
    } catch (error) {
      this.problems.error(
        pointer,
        'schema',
        `not a JSON Schema that can be used: ${error instanceof Error ? error.message.slice(0, 300) : 'unreadable'}`,
      );
      return () => [];
    }
  }

  #note(pointer: string, step: string | undefined, accesses: readonly Access[]): void {
    this.uses.push({ pointer, accesses, ...(step === undefined ? {} : { step }) });
  }
}
