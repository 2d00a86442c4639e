import { CALLBACK_SOURCE, subjects, type CallbackAccepted, type CloudEvent } from '@cairn/contracts';
import { callbackType } from '@cairn/domain-definition';
import type { Json } from '@cairn/kernel';
import { accepted, type Answer } from '../answer.js';
import { readCallbackJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import { receiptOf, type Intake } from '../commands/intake.js';
import { knownCallback, noCallback, openCallback, type Callback, type CallbackParts } from './find-callback.js';

/**
 * `POST /v1/callbacks/{token}`: 202, the same for the first use and for every later one, which changes nothing whatever it brings; 404 alike
 * for every link that leads nowhere; 422 where the data is not what the callback's schema asks for, and the link can still be used.
 */
export async function useCallback(
  parts: CallbackParts & { readonly intake: Intake },
  token: string,
  body: RawBody | undefined,
): Promise<Answer> {
  const callback = await knownCallback(parts, token);
  if (callback.used !== undefined) return answerOf(callback, callback.used.outcome);
  const { trigger } = await openCallback(parts, callback); // First: a link that leads nowhere is told the same, whatever comes with it.
  const data = readCallbackJson(body);
  const errors = trigger.validate(data ?? null);
  if (errors.length > 0) refuse('callback_data_invalid', 'What was sent is not what this link asks for.', { errors });
  const receipt = receiptOf(callback.claim.ns, await parts.intake.receive(subjectOf(callback), eventOf(callback, data)));
  return answerOf(callback, receipt?.outcome);
}

function answerOf({ receiptId }: Callback, outcome: string | undefined): Answer {
  if (outcome === 'late' || outcome === 'refused') return noCallback(); // Its wait was over when it came.
  return accepted({ accepted: true, receiptId } satisfies CallbackAccepted);
}

const subjectOf = ({ claim: { ns, run, name }, waitId }: Callback): string => subjects.callback(ns, run, waitId, name);

function eventOf({ claim: { ns, run, name }, waitId, eventId }: Callback, data: Json | undefined): CloudEvent {
  return {
    specversion: '1.0',
    id: eventId,
    source: CALLBACK_SOURCE,
    type: callbackType(name),
    datacontenttype: 'application/json',
    cairnns: ns,
    cairnrun: run,
    cairnwait: waitId,
    ...(data === undefined ? {} : { data }),
  };
}
