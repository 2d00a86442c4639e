import { HTTP_SOURCE, START_TYPE, startRunSchema, subjects, type CloudEvent, type StartRunResponse } from '@cairn/contracts';
import { idOf, type Id, type JsonObject } from '@cairn/kernel';
import type { Ids } from '@cairn/ports';
import { accepted, type Answer } from '../answer.js';
import { readJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { checkedBody } from './checked-body.js';
import { receiptOf, type Intake } from './intake.js';

const outcomes = ['started', 'attached', 'branched'] as const;

/**
 * `POST workflows/{name}/runs`. Answers when scheduling has: the run exists then. Run and receipt have ids that follow from the
 * request alone, so a caller whom the answer never reached may send it again with the same `key` or `Idempotency-Key`.
 */
export async function startRun(
  parts: { readonly intake: Intake; readonly ids: Ids },
  ns: string,
  workflow: string,
  eventId: string | undefined,
  body: RawBody | undefined,
  actor: string,
): Promise<Answer> {
  const request = checkedBody(startRunSchema, readJson(body));
  const id = eventId ?? parts.ids.next();
  const event: CloudEvent<JsonObject> = {
    specversion: '1.0',
    id,
    source: HTTP_SOURCE,
    type: START_TYPE,
    datacontenttype: 'application/json',
    cairnns: ns,
    cairnactor: actor,
    ...(request.key === undefined ? {} : { cairnkey: request.key }),
    data: { ...request },
  };
  const receipt = receiptOf(ns, await parts.intake.receive(subjects.runStart(ns, workflow), event as CloudEvent));
  const runId: Id =
    receipt?.runs[0]?.run ??
    (request.key === undefined ? idOf('run-event', ns, workflow, HTTP_SOURCE, id) : idOf('run', ns, workflow, request.key));
  const branch = receipt?.outcome === 'branched' ? receipt.runs[0]?.branch : undefined;
  const response: StartRunResponse = {
    runId,
    receiptId: receipt?.receiptId ?? idOf('receipt', ns, HTTP_SOURCE, id),
    ...(branch === undefined ? {} : { branch }),
    outcome: outcomes.find((outcome) => outcome === receipt?.outcome) ?? 'pending',
  };
  return accepted(response);
}
