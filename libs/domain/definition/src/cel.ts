import { CelScalar, celEnv, celFunc, isCelError, isCelList, isCelMap, isCelUint, parse, plan, type CelInput } from '@bufbuild/cel'; // The one importer of it.
import type { Json } from '@cairn/kernel';
import { accessOf, survey, type Access, type CelNode, type Comprehension } from './cel-tree.js';
import type { Evaluated, Expression, Root, Scope } from './expressions.js';
import { CEL_ERROR_MAX, CEL_LIST_MAX, CEL_SOURCE_MAX, TEMPLATE_BYTES_MAX } from './limits.js';

/** Stored with each wait: the version of the language in which its conditions are written. */
export const CEL_VERSION = '0.6';

/** An expression that gives any JSON value: what stands between `${` and `}`. */
export interface ValueExpression {
  readonly source: string;
  readonly accesses: readonly Access[];
  readonly stepRefs: readonly string[];
  evaluate(scope: Scope): Evaluated<Json>;
}

export type CompiledExpression = { readonly ok: true; readonly expression: Expression } | { readonly ok: false; readonly says: string };
export type CompiledValue = { readonly ok: true; readonly expression: ValueExpression } | { readonly ok: false; readonly says: string };

const BOUNDED = '@bounded';

/** Fails on a list or map that is too long to walk over: comprehensions are not nested, so this bounds their cost. */
const bounded = celFunc(BOUNDED, [CelScalar.DYN], CelScalar.DYN, (range) => {
  if ((isCelList(range) || isCelMap(range)) && range.size > CEL_LIST_MAX) {
    throw new RangeError(`a list of ${range.size} items; at most ${CEL_LIST_MAX}`);
  }
  return range as CelInput;
});

const environment = celEnv({ funcs: [bounded] });

/** A condition. `roots` are the names that it may read. The answer says everything that is wrong with the source. */
export function compileExpression(source: string, roots: readonly Root[]): CompiledExpression {
  const compiled = compileValue(source, roots);
  return compiled.ok ? { ok: true, expression: conditionOf(compiled.expression) } : compiled;
}

/** The same expression as a condition: any result but a bool is an error. */
export function conditionOf(value: ValueExpression): Expression {
  const evaluate = (scope: Scope): Evaluated<boolean> => {
    const result = value.evaluate(scope);
    if (!result.ok) return result;
    return typeof result.value === 'boolean'
      ? { ok: true, value: result.value }
      : { ok: false, error: `not a bool: ${kindOf(result.value)}` };
  };
  return { source: value.source, stepRefs: value.stepRefs, evaluate };
}

/** An expression of any result that is JSON. */
export function compileValue(source: string, roots: readonly Root[]): CompiledValue {
  if (source.length > CEL_SOURCE_MAX)
    return { ok: false, says: `an expression has at most ${CEL_SOURCE_MAX} characters, this one has ${source.length}` };
  let tree: CelNode;
  try {
    tree = parse(source).expr;
  } catch (error) {
    const reason = error instanceof RangeError ? 'nested too deep' : cut(error instanceof Error ? error.message : 'not CEL');
    return { ok: false, says: `not a CEL expression: ${reason}${subtractionHint(source)}` };
  }
  const seen = survey(tree, roots, (name) => environment.funcs.find(name) !== undefined);
  if (seen.problems.length > 0) return { ok: false, says: `${seen.problems.join('; ')}${subtractionHint(source)}` };

  const stepRefs = [...new Set(seen.accesses.filter(({ root }) => root === 'steps').map(({ path }) => path[0] as string))];
  const path = accessOf(tree);
  const evaluate =
    path !== undefined && !path.tested && roots.includes(path.root as Root) ? readPath(path) : planned(tree, seen.comprehensions);
  return { ok: true, expression: { source, accesses: seen.accesses, stepRefs, evaluate } };
}

/** `input.vendor.id` and the like need no engine: they give the recorded value itself, not a copy. */
function readPath({ root, path }: Pick<Access, 'root' | 'path'>): (scope: Scope) => Evaluated<Json> {
  return (scope) => {
    let value: unknown = scope[root as Root];
    if (value === undefined) return { ok: false, error: `unresolved attribute: ${root}` };
    for (const field of path) {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, field)) {
        return { ok: false, error: `field not found: ${field}` };
      }
      value = (value as Record<string, unknown>)[field];
    }
    return value === undefined ? { ok: false, error: `field not found: ${path.at(-1) ?? root}` } : { ok: true, value: value as Json };
  };
}

function planned(tree: CelNode, comprehensions: readonly Comprehension[]): (scope: Scope) => Evaluated<Json> {
  for (const comprehension of comprehensions) comprehension.iterRange = callBounded(comprehension.iterRange);
  const execute = plan(environment, tree);
  return (scope) => {
    try {
      const result = execute(scope as { [name: string]: CelInput });
      if (isCelError(result)) return { ok: false, error: cut(result.message) };
      return { ok: true, value: toJson(result, { left: TEMPLATE_BYTES_MAX }) };
    } catch (error) {
      return { ok: false, error: cut(error instanceof Error ? error.message : 'evaluation failed') };
    }
  };
}

function callBounded(range: CelNode | undefined): CelNode {
  const call = { $typeName: 'cel.expr.Expr.Call' as const, function: BOUNDED, args: range === undefined ? [] : [range] };
  return { $typeName: 'cel.expr.Expr' as const, id: range?.id ?? 0n, exprKind: { case: 'callExpr', value: call } };
}

/** Plain JSON of a result. `left` bounds the work: every node counts at least one character. Throws what cannot be JSON. */
function toJson(value: unknown, budget: { left: number }): Json {
  budget.left -= typeof value === 'string' ? value.length : 1;
  if (budget.left < 0) throw new RangeError(`larger than ${TEMPLATE_BYTES_MAX} bytes`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return numberOf(value);
  if (isCelUint(value)) return numberOf(value.value);
  if (isCelList(value)) return Array.from(value, (item) => toJson(item, budget));
  if (isCelMap(value)) return objectOf(value, budget);
  throw new TypeError('the result is not JSON; use string(…) for times, durations and types');
}

function numberOf(value: number | bigint): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw new RangeError('a number is not finite');
  if (typeof value === 'bigint' && !Number.isSafeInteger(number)) throw new RangeError('an integer is beyond 2^53');
  return number;
}

function objectOf(entries: Iterable<readonly [unknown, unknown]>, budget: { left: number }): Json {
  const object: Record<string, Json> = {};
  for (const [key, item] of entries) {
    if (typeof key !== 'string') throw new TypeError('a map needs strings for keys');
    if (key === '__proto__') throw new TypeError('a key is not allowed: __proto__');
    budget.left -= key.length;
    object[key] = toJson(item, budget);
  }
  return object;
}

/** T-35: names allow `-`, CEL reads it as minus. */
function subtractionHint(source: string): string {
  const name = /\bsteps\.([a-z][a-z0-9_]*(?:-[a-z0-9_]+)+)/.exec(source)?.[1];
  return name === undefined ? '' : `; steps.${name} is a subtraction in CEL: write steps['${name}']`;
}

function kindOf(value: Json): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}

const cut = (text: string): string => text.slice(0, CEL_ERROR_MAX);
