import { transact } from '@cairn/application';
import type { ApplyDefinitionAnswer } from '@cairn/contracts';
import { compileDefinition } from '@cairn/domain-definition';
import { evolveWorkflow, noVersions } from '@cairn/domain-schedule';
import { applyDefinition as decide } from '@cairn/domain-schedule/decider';
import { instantOf, isName, workflowStream, type FieldError, type Json, type JsonObject } from '@cairn/kernel';
import type { Artifacts, Clock, EventStore } from '@cairn/ports';
import { storeData } from '../intake/event-data.js';

/** A definition up to here stands in its event, which may have 256 KiB with all that is around it. */
const DEFINITION_INLINE_BYTES_MAX = 131_072;

export interface ApplyDefinition {
  /** What the append will carry as its cause. */
  readonly id: string;
  readonly ns: string;
  readonly actor: string;
  readonly name: string;
  readonly document: unknown;
}

interface Ports {
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
}

/** Compiles a document and makes it a version of its workflow, once. Throws faults of the store and the artifacts. */
export async function applyDefinition(ports: Ports, command: ApplyDefinition): Promise<ApplyDefinitionAnswer> {
  const { ns, name } = command;
  if (!isName(name)) return invalid([{ pointer: '/name', rule: 'name', says: 'a name is a-z, then a-z 0-9 -, at most 63 characters' }]);
  const compiled = compileDefinition(command.document);
  if (!compiled.ok) return invalid(compiled.errors);
  const { definition, hash, warnings } = compiled;
  if (definition.name !== name)
    return invalid([{ pointer: '/name', rule: 'name', says: `the document is named ${definition.name}, it was sent as ${name}` }]);

  const { data, dataRef } = await storeData(ports.artifacts, definition as unknown as Json, DEFINITION_INLINE_BYTES_MAX);
  const stored = dataRef === undefined ? { definition: data as JsonObject } : { definitionRef: dataRef };
  const { version } = definition;
  const outcome = await transact(ports.store, {
    stream: workflowStream(ns, name),
    initial: noVersions,
    evolve: evolveWorkflow,
    decide: (state) => decide(state, { ns, name, version, hash, ...stored }),
    context: { ns, at: instantOf(ports.clock.now()), actor: command.actor, causationId: command.id },
  });
  if (outcome.kind === 'rejected') return outcome;
  const revision = outcome.head.state.find((applied) => applied.version === version)?.revision ?? 0;
  return { kind: outcome.kind === 'accepted' ? 'applied' : 'unchanged', name, version, hash, revision, warnings };
}

const invalid = (errors: readonly FieldError[]): ApplyDefinitionAnswer => ({
  kind: 'rejected',
  rejection: { code: 'definition_invalid', detail: errors[0]?.says ?? 'the document is no workflow', errors },
});
