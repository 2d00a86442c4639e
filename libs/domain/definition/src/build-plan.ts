import type { Json, JsonObject } from '@cairn/kernel';
import { buildEffect } from './build-effect.js';
import { buildReview } from './build-review.js';
import { buildWait } from './build-wait.js';
import type { DecideDocument, Definition, StepDocument } from './document.js';
import type { Template } from './expressions.js';
import {
  BRANCHES_DEFAULT,
  EFFECT_RISK_DEFAULT,
  KEEP_DEFAULT_MS,
  LEASE_DEFAULT_MS,
  OCCURRENCES_DEFAULT,
  RISK_DEFAULT,
  RUN_AGE_DEFAULT_MS,
  SHORT_RUN_AGE_MS,
  TIMEOUT_DEFAULT_MS,
} from './limits.js';
import { callbackReference } from './callbacks.js';
import type { CallbackUse, Plan, PlannedStep, PolicyName, StartTrigger, StepKind } from './plan.js';
import { EVENT_ROOTS, RUN_ROOTS, STEP_ROOTS, TURN_ROOTS, UNTIL_ROOTS, WORK_ROOTS, type PlanCompiler, type Use } from './plan-compiler.js';
import { at } from './pointer.js';

/** The plan of a canonical definition. With problems it may be looked at, not run. */
export function buildPlan(definition: Definition, hash: string, compiler: PlanCompiler): Plan {
  const starts = (definition.on ?? []).map((start, i): StartTrigger => {
    const pointer = at('/on', i);
    return {
      type: start.event,
      ...(start.key === undefined ? {} : { key: compiler.template(start.key, EVENT_ROOTS, at(pointer, 'key')) }),
      ...(start.where === undefined ? {} : { where: compiler.expression(start.where, EVENT_ROOTS, at(pointer, 'where')) }),
      input: compiler.template(start.input ?? '${event.data}', EVENT_ROOTS, at(pointer, 'input')),
      keepMs: start.keep ?? KEEP_DEFAULT_MS,
      duplicates: start.duplicates ?? 'attach',
    };
  });
  const steps = buildSteps(definition, compiler);
  const byId = new Map(steps.toReversed().map((step) => [step.id, step])); // Of two with one id, which is refused, the first.
  const { output } = definition;
  const short = definition.class === 'short';
  return {
    hash,
    definition,
    name: definition.name,
    version: definition.version,
    class: definition.class ?? 'standard',
    ...(definition.goal === undefined ? {} : { goal: compiler.template(definition.goal, RUN_ROOTS, '/goal') }),
    attributes: Object.fromEntries(
      Object.entries(definition.attributes ?? {}).map(([name, value]) => [
        name,
        compiler.template(value, RUN_ROOTS, at('/attributes', name)),
      ]),
    ),
    ...(output === undefined
      ? {}
      : {
          output: {
            ...(output.schema === undefined ? {} : { schema: output.schema }),
            ...(output.value === undefined ? {} : { value: compiler.template(output.value, STEP_ROOTS, '/output/value') }),
            validate: compiler.schema(output.schema, '/output/schema'),
          },
        }),
    validateInput: compiler.schema(definition.input, '/input'),
    steps,
    step: (id) => byId.get(id),
    mainCount: steps.filter(({ side, reduced }) => !side && reduced === undefined).length,
    starts,
    limits: {
      ageMs: definition.limits?.age ?? (short ? SHORT_RUN_AGE_MS : RUN_AGE_DEFAULT_MS),
      occurrences: definition.limits?.occurrences ?? OCCURRENCES_DEFAULT,
      branches: definition.limits?.branches ?? BRANCHES_DEFAULT,
    },
    reduced: (definition.reduced ?? []).map(({ id, drops, steps: own, summary }) => ({
      id,
      drops: drops.filter((step) => step !== null), // Null: refused before.
      steps: own.map((step) => step.id),
      summary,
    })),
    callbacks: callbacksOf(steps),
    retryPolicies: distinct(steps.filter(({ queue }) => queue !== undefined).map(({ retry }) => retry)),
  };
}

interface Placed {
  readonly step: StepDocument;
  readonly pointer: string;
  readonly after: readonly string[];
  readonly reduced?: string;
}

/** One list of steps: without an `after` of its own, each comes after the one above it on the path. */
function placed(steps: readonly StepDocument[], pointer: string, reduced?: string): readonly Placed[] {
  let above: string | undefined;
  return steps.map((step, i) => {
    const after = step.after ?? (step.side === true || above === undefined ? [] : [above]);
    if (step.side !== true) above = step.id;
    return {
      step,
      pointer: at(pointer, i),
      after: after.filter((id) => id !== null), // Null: refused before.
      ...(reduced === undefined ? {} : { reduced }),
    };
  });
}

function buildSteps(definition: Definition, compiler: PlanCompiler): PlannedStep[] {
  const all = [
    ...placed(definition.steps, '/steps'),
    ...(definition.reduced ?? []).flatMap(({ id, steps }, i) => placed(steps, at('/reduced', i, 'steps'), id)),
  ];
  const dependents = new Map<string, string[]>();
  for (const { step, after } of all) {
    for (const id of after) dependents.set(id, [...(dependents.get(id) ?? []), step.id]);
  }
  const guards = new Map<string, string[]>();
  for (const { step } of all) {
    for (const guarded of step.review?.authorises ?? []) guards.set(guarded, [...(guards.get(guarded) ?? []), step.id]);
  }
  return all.map((one, index) => ({
    ...buildStep(one, index, dependents.get(one.step.id) ?? [], definition.retry ?? 'default', compiler),
    guardedBy: guards.get(one.step.id) ?? [],
  }));
}

function buildStep(
  { step, pointer, after, reduced }: Placed,
  index: number,
  dependents: readonly string[],
  workflowRetry: string,
  compiler: PlanCompiler,
): Omit<PlannedStep, 'guardedBy'> {
  const firstUse = compiler.uses.length;
  const handled = step.task !== undefined || step.decide !== undefined || step.effect !== undefined;
  const roots = step.repeat !== undefined ? TURN_ROOTS : handled ? WORK_ROOTS : STEP_ROOTS;
  const template = (value: Json, field: string): Template =>
    compiler.template(value, field.startsWith('emit') ? STEP_ROOTS : roots, at(pointer, ...field.split('/')), step.id);
  const planned = {
    index,
    id: step.id,
    ...(reduced === undefined ? {} : { reduced }),
    pointer,
    document: step,
    kind: kindOf(step),
    after,
    join: joinOf(step.join, after.length),
    dependents,
    ...(step.when === undefined ? {} : { when: compiler.expression(step.when, STEP_ROOTS, at(pointer, 'when'), step.id) }),
    side: step.side ?? false,
    optional: step.optional ?? false,
    input: template(step.input ?? {}, 'input'),
    params: template(step.params ?? {}, 'params'),
    validateOutput: compiler.schema(step.decide === undefined ? step.output : answerOf(step.decide.choices ?? []), at(pointer, 'output')),
    ...(step.decide === undefined ? {} : { choices: step.decide.choices ?? [] }),
    timeoutMs: step.timeout ?? TIMEOUT_DEFAULT_MS,
    leaseMs: step.lease ?? LEASE_DEFAULT_MS,
    retry: policyNameOf(step.retry ?? workflowRetry),
    fallback: (step.fallback ?? []).flatMap((one, i) => {
      if (one === null) return []; // Refused before.
      return { queue: one.queue, ...(one.params === undefined ? {} : { params: template(one.params, `fallback/${i}/params`) }) };
    }),
    ...(step.purpose === undefined ? {} : { purpose: step.purpose }),
    ...(step.checkpoint === undefined ? {} : { checkpoint: step.checkpoint }),
    ...(step.repeat === undefined
      ? {}
      : {
          repeat: {
            until: compiler.expression(step.repeat.until ?? 'true', UNTIL_ROOTS, at(pointer, 'repeat', 'until'), step.id),
            max: step.repeat.max ?? 1,
            pauseMs: step.repeat.pause ?? 0,
          },
        }),
    risk: step.risk ?? (step.effect === undefined ? RISK_DEFAULT : EFFECT_RISK_DEFAULT),
    ...(step.task === undefined ? {} : { queue: step.task.queue }),
    ...(step.decide === undefined ? {} : { queue: step.decide.queue }),
    ...(step.effect === undefined
      ? {}
      : { queue: step.effect.queue, effect: buildEffect(step.effect, step.id, at(pointer, 'effect'), compiler) }),
    ...(step.wait === undefined ? {} : { wait: buildWait(step.wait, step.id, at(pointer, 'wait'), compiler) }),
    ...(step.review === undefined ? {} : { review: buildReview(step.review, step.id, at(pointer, 'review'), compiler) }),
    ...(step.emit === undefined
      ? {}
      : {
          emit: {
            type: step.emit.type,
            ...(step.emit.key === undefined ? {} : { key: template(step.emit.key, 'emit/key') }),
            data: template(step.emit.data ?? {}, 'emit/data'),
          },
        }),
  };
  const uses = compiler.uses.slice(firstUse);
  const reads = uses.flatMap(({ accesses }) => accesses.filter(({ root }) => root === 'steps'));
  return {
    ...planned,
    stepRefs: [...new Set(reads.map(({ path }) => path[0] as string))],
    callbackUses: uses.flatMap((use) => callbackUseOf(use, pointer)),
  };
}

const IN_WORK = /^\/(?:(input)|(?:fallback\/\d+\/)?(params))(\/.*)?$/;

function callbackUseOf(use: Use, step: string): CallbackUse[] {
  const named = use.accesses.filter(({ root, path }) => root === 'callbacks' && path.length === 2);
  const [, input, params, pointer = ''] = IN_WORK.exec(use.pointer.slice(step.length)) ?? [];
  if (named.length === 0 || (input ?? params) === undefined) return [];
  const callbacks = named.map(({ path: [wait = '', name = ''] }) => ({ wait, name }));
  return [{ part: input === undefined ? 'params' : 'input', pointer, callbacks }];
}

function callbacksOf(steps: readonly Pick<PlannedStep, 'id' | 'wait'>[]): Plan['callbacks'] {
  const byWait = steps.flatMap(({ id, wait }) => {
    const names = (wait?.triggers ?? []).flatMap((trigger) => (trigger.kind === 'callback' ? [trigger.name] : []));
    return names.length === 0 ? [] : [[id, Object.fromEntries(names.map((name) => [name, callbackReference(id, name)]))] as const];
  });
  return Object.fromEntries(byWait);
}

/** What a decision must answer: one of the choices, and why. More may stand beside. */
const answerOf = (choices: NonNullable<DecideDocument['choices']>): JsonObject => ({
  type: 'object',
  required: ['choice', 'because'],
  properties: { choice: choices.length === 0 ? false : { enum: [...choices] }, because: { type: 'string', minLength: 1 } },
});

/** Of a step without a kind, or with two, which is refused: any. */
function kindOf(step: StepDocument): StepKind {
  if (step.wait !== undefined) return 'wait';
  if (step.review !== undefined) return 'review';
  if (step.emit !== undefined) return 'emit';
  return step.effect === undefined ? 'task' : 'effect';
}

function joinOf(join: 'any' | number | undefined, afterCount: number): PlannedStep['join'] {
  if (join === undefined) return { kind: 'all', k: afterCount };
  return join === 'any' ? { kind: 'any', k: Math.min(1, afterCount) } : { kind: 'atLeast', k: join };
}

function policyNameOf(text: string): PolicyName {
  const [name = text, version] = text.split('@');
  return version === undefined ? { name } : { name, version: Number(version) };
}

function distinct(policies: readonly PolicyName[]): PolicyName[] {
  return [...new Map(policies.map((policy) => [`${policy.name}@${policy.version ?? ''}`, policy])).values()];
}
