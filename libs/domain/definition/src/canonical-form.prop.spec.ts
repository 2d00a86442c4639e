import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileDefinition, compileDefinitionText, hashDefinition, planOf, type Compiled } from './index.js';

/**
 * Goal: one workflow has one sequence of bytes, however it is spelled (`history.md` §3). Method: random definitions, each spelled three ways
 * (terse; with every default written out and durations in other units; keys in another order), as object, JSON and YAML.
 */
type Fields = { readonly [field: string]: unknown };

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((value) => !value.includes('${') && value.isWellFormed());
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e9, min: -1e9 }),
  fc.boolean(),
  fc.constant(null),
);
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(name, scalar, { maxKeys: 3 }));
const duration = fc.integer({ min: 1, max: 60 }).map((minutes) => minutes * 60_000);
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const compact = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined));

const common = fc
  .record({
    purpose: optional(text),
    when: optional(fc.constant('input.ok == true')),
    optional: optional(fc.constant(true)),
    input: optional(value),
    params: optional(value),
    risk: optional(fc.constantFrom('low', 'medium', 'high')),
  })
  .map(compact);

const ofAttempts = {
  timeout: optional(duration),
  lease: optional(fc.constant(120_000)),
  retry: optional(fc.constantFrom('http', 'http@3')),
  fallback: optional(
    fc.constantFrom(
      [{ queue: 'other-queue' }],
      [
        { queue: 'other-queue', params: { slow: true } },
        { queue: 'third-queue', params: [] },
      ],
    ),
  ),
};

const trigger = fc.oneof(
  fc.record({ signal: name }),
  fc.record({ timer: duration }),
  fc.record({
    event: fc
      .record({
        type: fc.constant('a.b'),
        key: fc.constant('${input.id}'),
        where: optional(fc.constant('event.data.x == 1.0')),
        keep: optional(duration),
      })
      .map(compact),
  }),
);

const kind = fc.oneof(
  fc
    .record({
      ...ofAttempts,
      task: fc.record({ queue: name }),
      output: optional(fc.constantFrom({ type: 'string' }, { type: 'object', properties: { a: {} } })),
      repeat: optional(
        fc.record({ until: fc.constant('turn > 2'), max: fc.integer({ min: 1, max: 100 }), pause: optional(duration) }).map(compact),
      ),
    })
    .map(compact),
  fc
    .record({
      ...ofAttempts,
      purpose: text,
      risk: fc.constantFrom('low', 'medium'),
      input: fc.constant({ to: '${input.to}', amount: 5 }),
      effect: fc
        .record({
          queue: name,
          key: fc.constantFrom('k', '${input.id}:pay'),
          fields: optional(fc.constantFrom([''], ['/to'], ['/amount', '/to'])),
          guarantee: optional(fc.constantFrom('none', 'idempotent')),
        })
        .map(compact),
    })
    .map(compact),
  fc.record({ emit: fc.record({ type: fc.constant('c.d'), data: optional(value) }).map(compact) }),
  fc.record({
    wait: fc
      .record({
        any: fc.array(trigger, { minLength: 1, maxLength: 3 }),
        deadline: duration,
        onDeadline: fc.constantFrom({ value: 1 }, { giveUp: true }, { fail: 'timeout' }),
        staleAfter: optional(duration),
        lookBack: optional(fc.oneof(fc.constant('none'), duration)),
        keepOpen: optional(fc.constant(true)),
      })
      .map(compact),
  }),
);

const steps = fc
  .array(fc.tuple(common, kind, fc.boolean()), { minLength: 1, maxLength: 6 })
  .map((drafts) =>
    drafts.map(([fields, ofKind, atOnce], i): Fields => ({ id: `s${i}`, ...fields, ...ofKind, ...(atOnce && i > 0 ? { after: [] } : {}) })),
  );

const definition = fc
  .record({
    cairn: fc.constant(1),
    name,
    version: fc.constantFrom('1.0.0', '0.1.0-rc.1'),
    goal: optional(text),
    input: optional(fc.constant({ type: 'object' })),
    on: optional(
      fc.array(
        fc
          .record({
            event: fc.constant('a.start'),
            key: optional(fc.constant('${event.key}')),
            duplicates: optional(fc.constantFrom('reject', 'new_run')),
          })
          .map(compact),
        { minLength: 1, maxLength: 2 },
      ),
    ),
    attributes: optional(fc.dictionary(name, fc.oneof(text, fc.integer()), { minKeys: 1, maxKeys: 3 })),
    steps,
    reduced: optional(
      fc.array(steps, { maxLength: 2 }).map((paths) =>
        paths.map((own, i) => ({
          id: `less-${i}`,
          drops: ['s0'],
          steps: own.map((step) => ({ ...step, id: `r${i}${String(step['id'])}` })),
          summary: 'less',
        })),
      ),
    ),
    retry: optional(fc.constant('patient')),
    limits: optional(fc.constant({ age: 86_400_000 })),
  })
  .map(compact);

/** The same workflow with every default written out, minutes instead of milliseconds, and keys the other way round. */
function wordy(document: Fields): Fields {
  const minutes = (ms: unknown): unknown => (typeof ms === 'number' ? (ms % 120_000 === 0 ? `PT${ms / 60_000}M` : `${ms / 60_000}m`) : ms);
  const workflowRetry = document['retry'] ?? 'default';
  const wordySteps = (given: readonly Fields[]): Fields[] =>
    given.map((step, i): Fields => {
      const wait = step['wait'] as Fields | undefined;
      const emit = step['emit'] as Fields | undefined;
      const repeat = step['repeat'] as Fields | undefined;
      const effect = step['effect'] as Fields | undefined;
      return {
        after: i === 0 ? [] : [String(given[i - 1]?.['id'])],
        join: 'all',
        when: 'true',
        side: false,
        optional: false,
        input: {},
        params: {},
        output: true,
        retry: workflowRetry,
        risk: effect === undefined ? 'low' : 'medium',
        ...step,
        ...(step['task'] === undefined && effect === undefined
          ? {}
          : { fallback: ((step['fallback'] ?? []) as Fields[]).map((one) => ({ params: step['params'] ?? {}, ...one })) }),
        timeout: minutes(step['timeout'] ?? 600_000),
        lease: minutes(step['lease'] ?? 60_000),
        ...(step['output'] === undefined
          ? {}
          : { output: { $schema: 'https://json-schema.org/draft/2020-12/schema', ...(step['output'] as Fields) } }),
        ...(repeat === undefined ? {} : { repeat: compact({ ...repeat, pause: minutes(repeat['pause']) }) }),
        ...(effect === undefined ? {} : { effect: { fields: [''], ...effect } }),
        ...(emit === undefined ? {} : { emit: { data: {}, ...emit } }),
        ...(wait === undefined
          ? {}
          : {
              wait: compact({
                guard: 'true',
                keepOpen: false,
                ...wait,
                any: (wait['any'] as Fields[]).map((one) =>
                  one['event'] === undefined
                    ? { ...one, ...(one['timer'] === undefined ? {} : { timer: minutes(one['timer']) }) }
                    : {
                        event: {
                          where: 'true',
                          ...(one['event'] as Fields),
                          keep: minutes((one['event'] as Fields)['keep'] ?? 604_800_000),
                        },
                      },
                ),
                deadline: minutes(wait['deadline']),
                staleAfter: minutes(wait['staleAfter']),
                lookBack: minutes(wait['lookBack'] ?? 'run'),
              }),
            }),
      };
    });
  return reversed({
    class: 'standard',
    on: [],
    attributes: {},
    waive: [],
    retry: 'default',
    input: {},
    output: {},
    ...document,
    limits: { occurrences: 2_000, branches: 50, age: '365d', ...(document['limits'] as Fields | undefined) },
    ...(document['on'] === undefined
      ? {}
      : { on: (document['on'] as Fields[]).map((start) => ({ duplicates: 'attach', keep: '7d', input: '${event.data}', ...start })) }),
    steps: wordySteps(document['steps'] as Fields[]),
    reduced: ((document['reduced'] ?? []) as Fields[]).map((path) => ({ ...path, steps: wordySteps(path['steps'] as Fields[]) })),
  }) as Fields;
}

function reversed(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(reversed);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json)
      .reverse()
      .map(([key, field]) => [key, reversed(field)]),
  );
}

/** Blocks outside, flow inside, as people write it. */
function yamlOf(document: Fields): string {
  const lines = Object.entries(document).map(([key, field]) =>
    Array.isArray(field) && field.length > 0
      ? `${key}: # a list\n${field.map((item) => `  - ${JSON.stringify(item)}`).join('\n')}`
      : `${key}: ${JSON.stringify(field)}`,
  );
  return `${lines.join('\n')}\n`;
}

function canonicalOf(compiled: Compiled): string {
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  return compiled.canonical;
}

describe('the canonical form', () => {
  it('is the same for every spelling', () => {
    fc.assert(
      fc.property(definition, (document) => {
        const expected = canonicalOf(compileDefinition(document));
        for (const spelled of [document, wordy(document)]) {
          expect(canonicalOf(compileDefinition(spelled))).toBe(expected);
          expect(canonicalOf(compileDefinitionText(JSON.stringify(spelled, null, 2), 'json'))).toBe(expected);
          expect(canonicalOf(compileDefinitionText(yamlOf(spelled), 'yaml'))).toBe(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is its own canonical form, and its hash is its identity', () => {
    fc.assert(
      fc.property(definition, (document) => {
        const compiled = compileDefinition(wordy(document));
        if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
        const again = compileDefinition(JSON.parse(compiled.canonical));
        expect(canonicalOf(again)).toBe(compiled.canonical);
        expect(hashDefinition(compiled.definition)).toBe(compiled.hash);
        expect(planOf(JSON.parse(compiled.canonical)).hash).toBe(compiled.hash);
      }),
      { numRuns: 60 },
    );
  });
});
