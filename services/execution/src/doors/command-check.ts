import { kebab, type CommandMessage } from '@cairn/contracts';
import type { RunCommand } from '@cairn/domain-run';
import { isExternalId, isId, partitionOf, type FieldError } from '@cairn/kernel';
import type { IncomingMessage } from '@cairn/ports';

/** What other services may ask of a run. Replies and claims have doors of their own; lapses are nobody's to tell. */
const ASKED: ReadonlySet<string> = new Set<RunCommand['type']>([
  'StartRun',
  'WakeRun',
  'ExpireWait',
  'MarkStale',
  'RescheduleWait',
  'ApplyRetryDecision',
  'ApplyVerdict',
  'ApplyEscalation',
  'CancelRun',
  'PauseRun',
  'UnpauseRun',
  'OpenBranch',
  'ReconcileEffect',
  'CompensateEffect',
  'AbandonBranch',
]);

/**
 * Whether a message of `cairn.<ns>.cmd.execution.<partition>.<command>` is what its subject says, and all that is wrong if not. The broker
 * lets each service publish the commands that are its own: a body that named another would go round that (`reliability.md` §6.1).
 */
export function checkCommand({ subject, body }: IncomingMessage): readonly FieldError[] {
  const [, ns, , , partition, command] = subject.split('.');
  const { runId, type, data, actor, causationId } = body as Partial<CommandMessage>;
  const errors: FieldError[] = [];
  const must = (pointer: string, holds: boolean, rule: string, says: string): void => {
    if (!holds) errors.push({ pointer, rule, says });
  };
  must(
    '/type',
    typeof type === 'string' && ASKED.has(type) && kebab(type) === command,
    'subject',
    'must be the command that the subject names',
  );
  must('/ns', body['ns'] === ns, 'subject', 'must be the namespace of the subject');
  must(
    '/runId',
    isId(runId) && String(partitionOf(runId)) === partition,
    'subject',
    'must be the id of a run of the partition that the subject names',
  );
  must('/data', typeof data === 'object' && data !== null && !Array.isArray(data), 'object', 'must be an object');
  must('/actor', isExternalId(actor), 'text', 'must be plain text');
  must('/causationId', isExternalId(causationId), 'text', 'must be plain text');
  return errors;
}
