import { isKey, KEY_MAX, type FieldError, type Json, type JsonObject } from '@cairn/kernel';
import type { Problem } from '@cairn/domain-schedule';
import type { ShelvedWorkflow } from '../definitions/definition-shelf.js';
import { problemOf } from '../intake/parse-event.js';
import type { WantedRun } from './starts.js';

/** Attributes of one run at most, and characters of a text among them (`capabilities.md` §3.1): they are what runs are searched by. */
const ATTRIBUTES_MAX = 20;
const ATTRIBUTE_CHARACTERS_MAX = 256;
/** `resultTo` is none of them yet: nothing is sent out, so nobody may believe that something would be (B-36). */
const FIELDS = ['key', 'input', 'attributes'];

/** What the data of `run.start.<workflow>` asks for: `{key?, input?, attributes?}`. Without input a run gets `{}`. */
export function directStart(workflow: ShelvedWorkflow, data: Json): WantedRun | Problem {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    return problemOf('start_invalid', { pointer: '/data', rule: 'object', says: 'data is an object: {key?, input?, attributes?}' });
  }
  const { key, input = {}, attributes } = data as { readonly [name: string]: Json };
  const errors: FieldError[] = [];
  for (const field of Object.keys(data))
    if (!FIELDS.includes(field)) errors.push({ pointer: `/data/${field}`, rule: 'unknown_field', says: `there is no field ${field}` });
  if (key !== undefined && !isKey(key))
    errors.push({ pointer: '/data/key', rule: 'key', says: `a key is plain text of 1 to ${KEY_MAX} characters` });
  if (attributes !== undefined) errors.push(...checkAttributes(attributes));
  if (errors.length > 0) return problemOf('start_invalid', ...errors);
  return {
    workflow,
    ...(key === undefined ? {} : { key: key as string }),
    input,
    ...(attributes === undefined ? {} : { attributes: attributes as JsonObject }),
    duplicates: workflow.plan.starts[0]?.duplicates ?? 'attach',
  };
}

function checkAttributes(attributes: Json): FieldError[] {
  const pointer = '/data/attributes';
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes))
    return [{ pointer, rule: 'object', says: 'attributes are an object of texts, numbers and bools' }];
  const entries = Object.entries(attributes as JsonObject);
  if (entries.length > ATTRIBUTES_MAX) return [{ pointer, rule: 'too_many', says: `at most ${ATTRIBUTES_MAX} attributes` }];
  return entries.flatMap(([name, value]) => {
    const scalar =
      typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && value.length <= ATTRIBUTE_CHARACTERS_MAX);
    return scalar
      ? []
      : [
          {
            pointer: `${pointer}/${name}`,
            rule: 'scalar',
            says: `an attribute is a number, a bool or text of at most ${ATTRIBUTE_CHARACTERS_MAX} characters`,
          },
        ];
  });
}
