import type { BundleContent, BundleEventKind } from '@cairn/contracts';
import { canon, idOfStream, parseRunStream, type StoredEvent } from '@cairn/kernel';

type Head = Extract<BundleContent, { kind: 'head' }>;

const streamsOf: Readonly<Record<BundleEventKind, (head: Head) => RegExp>> = {
  event: ({ run }) => new RegExp(`^run-${run}\\+[a-z][a-z0-9]*$`),
  receipt: () => /^receipt-[0-9a-z]{26}$/,
  review: () => /^review-[0-9a-z]{26}$/,
  definition: ({ ns, workflow }) => new RegExp(`^workflow-${ns}\\+${workflow}$`),
  policy: ({ ns }) => new RegExp(`^policy-${ns}\\+[a-z][a-z0-9-]*$`),
};

/** What is wrong with where an event says that it stands: the part of its metadata that its hash does not cover. */
export function wrongPlace(head: Head, kind: BundleEventKind, { stream, metadata }: StoredEvent): string | undefined {
  if (!streamsOf[kind](head).test(stream)) return `a line of kind ${kind} holds an event of ${stream}`;
  const run = parseRunStream(stream);
  const wanted = { ns: head.ns, ...run, correlationId: run?.runId ?? idOfStream(stream) };
  const { ns, runId, branch, correlationId } = metadata;
  const told = { ns, ...(runId === undefined ? {} : { runId }), ...(branch === undefined ? {} : { branch }), correlationId };
  return canon(told) === canon(wanted) ? undefined : `its metadata says ${canon(told)}, and it must be ${canon(wanted)}`;
}
