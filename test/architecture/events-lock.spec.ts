// Goal: the guard of the storage format lets a stored event grow and refuses every way of breaking it.
// Method: one schema, and each change that somebody may make to it.
import { describe, expect, it } from '@jest/globals';
import { differences } from '../../tools/schema-difference.mjs';

/** JSON Schema as a heap of data that a change may poke anywhere. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Draft = any;

const string = { type: 'string' };
const wait = {
  type: 'object',
  properties: {
    waitId: { type: 'string', pattern: '^[0-7]' },
    mode: { type: 'string', enum: ['any', 'all'] },
    key: string,
    triggers: { type: 'array', items: { type: 'object', properties: { kind: string }, required: ['kind'] } },
    then: { anyOf: [string, { type: 'null' }] },
    data: { $ref: '#/$defs/json' },
    labels: { type: 'object', additionalProperties: string },
  },
  required: ['waitId', 'mode', 'triggers', 'then', 'data'],
  $defs: { json: { anyOf: [string, { type: 'array', items: { $ref: '#/$defs/json' } }] } },
};

/** The schema with one change; `change` gets a copy that it may alter. */
function changed(change: (schema: Draft) => void): unknown {
  const copy: unknown = structuredClone(wait);
  change(copy);
  return copy;
}

const harmless: readonly [string, (schema: Draft) => void][] = [
  ['nothing', () => undefined],
  ['an optional field', (schema) => (schema.properties.note = string)],
  ['an optional field inside a list', (schema) => (schema.properties.triggers.items.properties.where = string)],
  ['that unknown fields are kept', (schema) => (schema.additionalProperties = {})],
  ['a description', (schema) => (schema.properties.key.description = 'of the event')],
  [
    'the name of a definition',
    (schema) => {
      schema.$defs = { other: { anyOf: [string, { type: 'array', items: { $ref: '#/$defs/other' } }] } };
      schema.properties.data.$ref = '#/$defs/other';
    },
  ],
];

const refused: readonly [string, (schema: Draft) => void, string][] = [
  ['a lost field', (schema) => delete schema.properties.key, '/key: lost'],
  ['a new required field', (schema) => void ((schema.properties.note = string), schema.required.push('note')), '/note: new and required'],
  ['a field that becomes required', (schema) => schema.required.push('key'), '/key: was optional'],
  ['a field that becomes optional', (schema) => schema.required.shift(), '/waitId: was required'],
  ['another type', (schema) => (schema.properties.key = { type: 'number' }), '/key: type was'],
  ['another pattern', (schema) => (schema.properties.waitId.pattern = '^[0-9]'), '/waitId: pattern was'],
  ['another closed word', (schema) => schema.properties.mode.enum.push('some'), '/mode: enum was'],
  ['a change inside a list', (schema) => delete schema.properties.triggers.items.properties.kind, '/triggers/items/kind: lost'],
  ['a lost alternative', (schema) => schema.properties.then.anyOf.pop(), '/then/anyOf: other alternatives'],
  ['another alternative', (schema) => (schema.properties.then.anyOf[1].type = 'number'), '/then/anyOf/1: type was'],
  ['a change behind a reference', (schema) => (schema.$defs.json.anyOf[0].type = 'boolean'), '/data/anyOf/0: type was'],
  [
    'other values of a record',
    (schema) => (schema.properties.labels.additionalProperties = { type: 'number' }),
    '/labels/additionalProperties: type was',
  ],
  ['a limit', (schema) => (schema.properties.key.maxLength = 3), '/key: maxLength was undefined'],
];

describe('a stored event may gain', () => {
  it.each(harmless)('%s', (_, change) => {
    expect(differences(wait, changed(change))).toEqual([]);
  });
});

describe('a stored event never has', () => {
  it.each(refused)('%s', (_, change, says) => {
    expect(differences(wait, changed(change)).join('\n')).toContain(says);
  });
});
