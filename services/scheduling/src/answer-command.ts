import { namespaceOf, type ApplyDefinitionAnswer, type ImportBundleAnswer, type ImportBundleMessage } from '@cairn/contracts';
import type { Artifacts, Clock, EventStore, IncomingMessage } from '@cairn/ports';
import { importBundle } from './bundles/import-bundle.js';
import { applyDefinition } from './definitions/apply-definition.js';

interface Ports {
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
}

/** What people ask of scheduling, named by the subject's last token. `undefined`: there is no such command. Throws faults. */
export async function answerCommand(
  ports: Ports,
  { id, subject, body }: IncomingMessage,
): Promise<ApplyDefinitionAnswer | ImportBundleAnswer | undefined> {
  const actor = typeof body['actor'] === 'string' ? body['actor'] : 'service:scheduling';
  const asked = { id, ns: namespaceOf(subject), actor };
  switch (subject.slice(subject.lastIndexOf('.') + 1)) {
    case 'apply-definition':
      return applyDefinition(ports, { ...asked, name: String(body['name']), document: body['document'] });
    case 'import-bundle':
      return importBundle(ports, { ...(body as unknown as ImportBundleMessage), ...asked });
    default:
      return undefined;
  }
}
