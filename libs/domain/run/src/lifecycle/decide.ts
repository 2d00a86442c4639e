import { canon, rejected, nothing, type Decision } from '@cairn/kernel';
import { begin } from '../advance.js';
import type { StartRun } from '../commands.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { RunRejection } from '../rejections.js';
import { concluded } from '../concluded.js';
import type { JsonObject } from '@cairn/kernel';

/** Characters of a run's goal at most (`capabilities.md` §3.1); longer text is cut and marked. */
export const GOAL_MAX = 1_000;

/** One key starts one run, for ever (P-9): whoever comes second changes nothing, and learns which event was first. */
export function startRun(draft: Draft, command: StartRun): Decision<RunEvent, RunRejection> {
  if (draft.state.started !== null) return nothing('duplicate');
  const { data } = command;
  const { plan } = draft;

  const errors = plan.validateInput(data.input).map((error) => ({ ...error, pointer: `/input${error.pointer}` }));
  if (errors.length > 0) {
    return rejected({ code: 'input_invalid', detail: `the input of ${data.workflow} breaks its schema`, errors });
  }
  const scope = { run: { id: data.runId, ns: data.ns, workflow: data.workflow, key: data.key ?? null, goal: null }, input: data.input };
  const goal = plan.goal?.evaluate(scope);
  if (goal !== undefined && !goal.ok) return rejected({ code: 'definition_error', detail: `goal: ${goal.error}` });
  const attributes: Record<string, string | number | boolean> = {};
  for (const [name, template] of Object.entries(plan.attributes)) {
    const value = template.evaluate(scope);
    if (!value.ok) return rejected({ code: 'definition_error', detail: `attributes/${name}: ${value.error}` });
    if (value.value !== null && typeof value.value !== 'object') attributes[name] = value.value as string | number | boolean;
  }

  draft.add({
    type: 'RunStarted',
    version: 1,
    data: {
      ns: data.ns,
      workflow: data.workflow,
      ...(data.key === undefined ? {} : { key: data.key }),
      goal: goal === undefined ? null : cut(typeof goal.value === 'string' ? goal.value : canon(goal.value)),
      input: data.input,
      attributes: { ...(data.attributes as JsonObject | undefined), ...attributes },
      definition: data.definition,
      policies: data.policies,
      cause: data.cause,
      limits: plan.limits,
      ...(data.resultTo === undefined ? {} : { resultTo: data.resultTo }),
    },
  });
  begin(draft);
  return concluded(draft);
}

const cut = (goal: string): string => (goal.length <= GOAL_MAX ? goal : `${goal.slice(0, GOAL_MAX - 1)}…`);
