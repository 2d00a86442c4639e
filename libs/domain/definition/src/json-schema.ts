import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'; // The one importer of ajv, its formats and re2js.
import addFormats from 'ajv-formats';
import { RE2JS } from 're2js';
import { canon, type FieldError, type Json } from '@cairn/kernel';
import { BoundedCache } from './bounded-cache.js';
import type { JsonSchema } from './document.js';
import { at } from './pointer.js';

/** Says what breaks the schema. Pointers are relative to the value; a rule is the schema's keyword, `unknown_field` for a field too many. */
export type Validator = (value: unknown) => FieldError[];

/** Annotation of the workflow schema: a field that the language has and this release does not run. The text names it. */
export const NOT_YET = 'x-not-yet';

/** Formats that are checked; others are refused in a schema, since a check that does not happen is worse than none. */
const FORMATS = ['date-time', 'date', 'time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uuid'] as const;

interface LinearRegExp {
  readonly test: (text: string) => boolean;
}

/** Compiled patterns: ajv asks for one at each place that uses it, which for the workflow schema is eight times as often as there are any. */
const patterns = new BoundedCache<LinearRegExp>();

/** Patterns are matched by RE2, in linear time whatever the pattern (B-25). */
const linearRegExp = Object.assign(
  (pattern: string): LinearRegExp =>
    patterns.getOrMake(pattern, () => {
      const compiled = RE2JS.compile(pattern);
      return { test: (text) => compiled.test(text), toString: () => pattern }; // ajv tells patterns apart by their text.
    }),
  { code: 'linearRegExp' },
);

const ajv = new Ajv2020({
  allErrors: true,
  verbose: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  strictTuples: false,
  ownProperties: true, // A field named `constructor` must be there, not be inherited.
  validateFormats: true,
  code: { regExp: linearRegExp, optimize: false }, // Optimising generated code takes a third of a compilation, and the engine does it again.
});
addFormats.default(ajv, [...FORMATS]);
ajv.addKeyword({ keyword: NOT_YET, schemaType: 'string', errors: false, validate: () => false });

const validators = new BoundedCache<Validator>();

/**
 * The validator of a schema; equal schemas share one (T-39: compiling costs about 17 ms, a large schema ten times that).
 * Throws an `Error` with one sentence if the schema itself is wrong: unknown keywords and formats, remote references, patterns beyond RE2.
 */
export function validatorOf(schema: JsonSchema): Validator {
  return validators.getOrMake(canon(schema), () => {
    refuseIdentities(schema);
    const validate = ajv.compile(schema);
    ajv.removeSchema(schema); // Ours is the only cache; ajv's would grow for ever.
    return (value) => (validate(value) ? [] : toFieldErrors(validate.errors ?? []));
  });
}

/** Keywords that give a schema a name beyond its document, so that two definitions could meet in one compiler. */
const IDENTITIES = ['$id', '$dynamicAnchor', '$dynamicRef', '$vocabulary'];
/** Their values are data, not schemas. */
const DATA_KEYWORDS: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples']);

function refuseIdentities(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (IDENTITIES.includes(key) && typeof value !== 'object') throw new Error(`${key} is not allowed in a workflow's schema`);
    if (!DATA_KEYWORDS.has(key)) refuseIdentities(value);
  }
}

function toFieldErrors(errors: readonly ErrorObject[]): FieldError[] {
  return errors.filter(({ keyword }) => keyword !== 'if' && keyword !== 'propertyNames').map(toFieldError);
}

function toFieldError(error: ErrorObject): FieldError {
  const { keyword, params } = error;
  const pointer = error.propertyName === undefined ? error.instancePath : at(error.instancePath, error.propertyName);
  switch (keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const field = String(params['additionalProperty'] ?? params['unevaluatedProperty']);
      return { pointer: at(pointer, field), rule: 'unknown_field', says: `there is no field ${field} here` };
    }
    case 'required': {
      const field = String(params['missingProperty']);
      return { pointer: at(pointer, field), rule: 'required', says: `${field} is missing` };
    }
    case NOT_YET:
      return { pointer, rule: 'not_yet', says: `${String(error.schema)} does not run yet in this release` };
    case 'enum':
      return {
        pointer,
        rule: 'enum',
        says: `one of ${(params['allowedValues'] as Json[]).map((value) => JSON.stringify(value)).join(', ')}`,
      };
    case 'pattern':
    case 'type':
      return { pointer, rule: keyword, says: describedBy(error) ?? error.message ?? `breaks ${keyword}` };
    default:
      return { pointer, rule: keyword, says: error.message ?? `breaks ${keyword}` };
  }
}

/** Our own schemas say in `description` what a pattern means. */
function describedBy(error: ErrorObject): string | undefined {
  const text: unknown = (error.parentSchema as { description?: unknown } | undefined)?.description;
  return typeof text === 'string' ? text : undefined;
}
