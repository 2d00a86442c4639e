import type { DomainEvent, JsonObject } from '@cairn/kernel';
import type { DataRef } from '../receipts/events.js';

/** A version of a workflow may be started. Event `revision` of `workflow-<ns>+<name>` is what runs pin. */
export type DefinitionApplied = DomainEvent<
  'DefinitionApplied',
  1,
  {
    readonly ns: string;
    readonly name: string;
    readonly version: string;
    /** `sha256:<hex>` of the canonical bytes. */
    readonly hash: string;
    /** In canonical form. Too large for an event: `definitionRef`. */
    readonly definition?: JsonObject;
    readonly definitionRef?: DataRef;
  }
>;

export type WorkflowEvent = DefinitionApplied;
