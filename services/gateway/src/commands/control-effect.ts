import {
  compensateEffectSchema,
  reconcileEffectSchema,
  subjects,
  type CompensateEffectRequest,
  type EffectControl,
  type ReconcileEffectRequest,
} from '@cairn/contracts';
import type { Id, Json } from '@cairn/kernel';
import { accepted, type Answer } from '../answer.js';
import { readJson, readOptionalJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { checkedBody } from './checked-body.js';
import type { ControlRunParts } from './control-run.js';
import { askByEvent } from './control-event.js';

/**
 * `POST runs/{id}/effects/{key}:reconcile`, `:compensate`: 202 with the receipt, also where it is under way already; 404 unknown run or
 * effect; 409 an effect that is not in doubt, or not confirmed; 422 where the definition names nobody who could.
 */
export async function controlEffect(
  parts: ControlRunParts,
  ns: string,
  run: Id,
  { key, verb }: { readonly key: string; readonly verb: EffectControl },
  eventId: string | undefined,
  body: RawBody | undefined,
): Promise<Answer> {
  const asked: ReconcileEffectRequest | CompensateEffectRequest =
    verb === 'effect.reconcile'
      ? checkedBody(reconcileEffectSchema, readOptionalJson(body))
      : checkedBody(compensateEffectSchema, readJson(body));
  await parts.reader.ownRow(ns, run);
  const data = { key, ...asked } as unknown as Json;
  return accepted(await askByEvent(parts, { ns, run, verb, subject: subjects.effectControl(ns, run, verb), eventId, data }));
}
