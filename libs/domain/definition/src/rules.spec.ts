import { describe, expect, it } from '@jest/globals';
import { compileDefinition, type Compiled } from './index.js';

/**
 * Goal: each rule of `capabilities.md` §3.1-§3.4 that concerns what exists refuses (or warns of) a definition that breaks it, by its name
 * and at its place. Method: one bad definition for each rule, as data.
 */
type Fields = { readonly [field: string]: unknown };

const task = (id: string, more: Fields = {}): Fields => ({ id, task: { queue: 'q' }, ...more });
const wait = (id: string, more: Fields = {}, common: Fields = {}): Fields => ({
  id,
  ...common,
  wait: { any: [{ event: { type: 'a.b', key: 'k' } }], deadline: '1d', onDeadline: { value: null }, staleAfter: '1h', ...more },
});
const review = (id: string, more: Fields = {}): Fields => ({ id, review: { queue: 'q', question: 'Go on?', deadline: '1d', ...more } });
const workflow = (steps: readonly unknown[], more: Fields = {}): Fields => ({ cairn: 1, name: 'one', version: '1.0.0', steps, ...more });

const effect = (id: string, more: Fields = {}, common: Fields = {}): Fields => ({
  id,
  purpose: 'pay the invoice',
  input: { amount: 5, to: '${input.to}' },
  ...common,
  effect: { queue: 'q', key: 'k:${run.id}', guarantee: 'none', ...more },
});

const reducing = (more: Fields): Fields =>
  workflow([task('a')], { reduced: [{ id: 'less', drops: ['a'], steps: [task('r')], summary: 'without a', ...more }] });

const errorsOf = (compiled: Compiled): string[] => (compiled.ok ? [] : compiled.errors.map(({ rule, pointer }) => `${rule} ${pointer}`));
const warningsOf = (compiled: Compiled): string[] =>
  compiled.ok ? compiled.warnings.map(({ rule, pointer }) => `${rule} ${pointer}`) : ['refused'];

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });

describe('a bad definition is refused with rule and pointer', () => {
  it.each<[string, unknown, string | string[]]>([
    // Shape
    ['no object', 'text', 'type '],
    ['cairn missing', { name: 'one', version: '1.0.0', steps: [task('a')] }, 'required /cairn'],
    ['another language version', workflow([task('a')], { cairn: 2 }), 'const /cairn'],
    ['an unknown field', workflow([task('a')], { gaol: 'x' }), 'unknown_field /gaol'],
    ['an unknown field of a step', workflow([task('a', { quue: 1 })]), 'unknown_field /steps/0/quue'],
    ['an unknown field of a kind', workflow([{ id: 'a', task: { queue: 'q', x: 1 } }]), 'unknown_field /steps/0/task/x'],
    [
      'an unknown field of a trigger',
      workflow([wait('a', { any: [{ event: { type: 'x', key: 'k', wher: 'true' } }] })]),
      'unknown_field /steps/0/wait/any/0/event/wher',
    ],
    ['a name with a capital', workflow([task('a')], { name: 'One' }), 'pattern /name'],
    ['a name of an occurrence', workflow([task('a#2')]), 'pattern /steps/0/id'],
    ['a name of a nested occurrence', workflow([task('a/b')]), 'pattern /steps/0/id'],
    ['a version of two numbers', workflow([task('a')], { version: '1.0' }), 'pattern /version'],
    ['an unknown class', workflow([task('a')], { class: 'huge' }), 'enum /class'],
    ['no steps', workflow([]), 'minItems /steps'],
    ['501 steps', workflow(Array.from({ length: 501 }, (_, i) => task(`s${i}`))), 'maxItems /steps'],
    ['a missing queue', workflow([{ id: 'a', task: {} }]), 'required /steps/0/task/queue'],
    ['a step without a kind', workflow([{ id: 'a' }]), 'one_kind /steps/0'],
    ['a step of two kinds', workflow([{ id: 'a', task: { queue: 'q' }, emit: { type: 'x' } }]), 'one_kind /steps/0'],
    ['a trigger of two kinds', workflow([wait('a', { any: [{ signal: 'x', timer: '1d' }] })]), 'one_kind /steps/0/wait/any/0'],
    ['a wait of two combinations', workflow([wait('a', { all: [{ signal: 'x' }] })]), 'one_kind /steps/0/wait'],
    ['an event type of nine tokens', workflow([{ id: 'a', emit: { type: 'a.b.c.d.e.f.g.h.i' } }]), 'pattern /steps/0/emit/type'],
    [
      '21 attributes',
      workflow([task('a')], { attributes: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`a${i}`, 1])) }),
      'maxProperties /attributes',
    ],
    ['an attribute that is a list', workflow([task('a')], { attributes: { a: [1] } }), 'type /attributes/a'],
    ['21 levels', workflow([task('a', { input: deep(20) })]), 'too_deep /steps/0/input/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a'],
    ['256 KiB', workflow([task('a', { input: { x: 'x'.repeat(262_144) } })]), 'too_large '],
    ['what JSON cannot hold', workflow([task('a', { input: { f: () => 1 } })]), 'not_json /steps/0/input/f'],

    // Reviews
    ['a review without a deadline', workflow([review('a', { deadline: undefined })]), 'review-without-deadline /steps/0/review'],
    ['a review of no queue', workflow([review('a', { queue: undefined })]), 'required /steps/0/review/queue'],
    ['a verdict that there is not', workflow([review('a', { verdicts: ['maybe'] })]), 'enum /steps/0/review/verdicts/0'],
    ['an outcome that there is not', workflow([review('a', { verdicts: { approve: 'go' } })]), 'pattern /steps/0/review/verdicts/approve'],
    ['a deadline that approves', workflow([review('a', { onDeadline: 'continue' })]), 'pattern /steps/0/review/onDeadline'],
    ['an unknown step that is authorised', workflow([review('a', { authorises: ['zz'] })]), 'unknown-ref /steps/0/review/authorises/0'],
    ['a wait that is authorised', workflow([review('a', { authorises: ['b'] }), wait('b')]), 'not_allowed /steps/0/review/authorises/0'],
    [
      'a loop that is authorised',
      workflow([review('a', { authorises: ['b'] }), task('b', { repeat: { until: 'true', max: 2 } })]),
      'not_allowed /steps/0/review/authorises/0',
    ],
    [
      'a step that is authorised and may start before',
      workflow([review('a', { authorises: ['b'] }), effect('b', {}, { after: [] })]),
      'not_allowed /steps/0/review/authorises/0',
    ],
    [
      'what may be edited and is not there',
      workflow([review('a', { authorises: ['b'], editable: ['/amuont'] }), effect('b')]),
      'unknown-ref /steps/0/review/editable/0',
    ],
    [
      'what may be edited of several steps',
      workflow([review('a', { authorises: ['b', 'c'], editable: ['/amount'] }), effect('b'), effect('c', { key: 'c' })]),
      'not_allowed /steps/0/review/editable',
    ],
    [
      'what may be edited behind the back of another review',
      workflow([review('a', { authorises: ['b'], editable: ['/amount'] }), review('c', { authorises: ['b'] }), effect('b')]),
      'not_allowed /steps/0/review/editable',
    ],
    [
      'an edit where nothing may be edited',
      workflow([review('a', { verdicts: ['approve', 'edit'] })]),
      'not_allowed /steps/0/review/verdicts/edit',
    ],
    ...['again', 'fallback', 'branch', 'reduce', 'reduce:less'].map((then): [string, unknown, string] => [
      `the outcome ${then} where it cannot follow`,
      workflow([review('a', { verdicts: { approve: 'continue', reject: then } })]),
      `${then === 'reduce:less' ? 'unknown-ref' : 'not_allowed'} /steps/0/review/verdicts/reject`,
    ]),
    [
      'a side step of a verdict that is none',
      workflow([review('a', { verdicts: { approve: 'step:b' } }), task('b')]),
      'not_side /steps/0/review/verdicts/approve',
    ],
    ['an unknown side step of a deadline', workflow([review('a', { onDeadline: 'step:zz' })]), 'unknown-ref /steps/0/review/onDeadline'],
    [
      'more people than are named',
      workflow([review('a', { candidates: ['user:ana'], quorum: { of: 2 } })]),
      'quorum /steps/0/review/quorum/of',
    ],
    [
      'four eyes with an unknown step',
      workflow([review('a', { quorum: { notSameAs: ['step:zz'] } })]),
      'unknown-ref /steps/0/review/quorum/notSameAs/0',
    ],
    ['an optional review', workflow([{ ...review('a'), optional: true }]), 'not_allowed /steps/0/optional'],
    ['a review with a lease', workflow([{ ...review('a'), lease: '5m' }]), 'not_allowed /steps/0/lease'],
    ['a review that repeats', workflow([{ ...review('a'), repeat: { until: 'true', max: 2 } }]), 'not_allowed /steps/0/repeat'],
    ['a review of a short run', workflow([review('a')], { class: 'short' }), 'short-class /steps/0'],
    [
      'six levels',
      workflow([review('a', { escalate: Array.from({ length: 6 }, () => ({ to: 'user:ana', after: '1d' })) })]),
      'maxItems /steps/0/review/escalate',
    ],

    // Not yet
    ...['agent', 'map', 'run', 'assumes', 'mustHold', 'budget', 'context'].map((field): [string, unknown, string] => [
      `${field} of a step`,
      workflow([['agent', 'map', 'run'].includes(field) ? { id: 'a', [field]: {} } : task('a', { [field]: {} })]),
      `not_yet /steps/0/${field}`,
    ]),
    ...['schedule', 'notify', 'budget', 'giveUp'].map((field): [string, unknown, string] => [
      `${field} of a workflow`,
      workflow([task('a')], { [field]: {} }),
      `not_yet /${field}`,
    ]),
    ...['child', 'window'].map((field): [string, unknown, string] => [
      `trigger ${field}`,
      workflow([wait('a', { any: [{ [field]: 'x' }] })]),
      `not_yet /steps/0/wait/any/0/${field}`,
    ]),
    ['a callback that is a text', workflow([wait('a', { any: [{ callback: 'portal' }] })]), 'type /steps/0/wait/any/0/callback'],
    ['one without a name', workflow([wait('a', { any: [{ callback: {} }] })]), 'required /steps/0/wait/any/0/callback/name'],
    ['one whose name is none', workflow([wait('a', { any: [{ callback: { name: 'No' } }] })]), 'pattern /steps/0/wait/any/0/callback/name'],
    [
      'an unknown field of one',
      workflow([wait('a', { any: [{ callback: { name: 'x', key: 'y' } }] })]),
      'unknown_field /steps/0/wait/any/0/callback/key',
    ],
    [
      'one whose schema is none',
      workflow([wait('a', { any: [{ callback: { name: 'x', schema: { type: 'nothing' } } }] })]),
      'schema /steps/0/wait/any/0/callback/schema',
    ],
    [
      'two of one name',
      workflow([wait('a', { any: [{ callback: { name: 'x' } }, { callback: { name: 'x' } }] })]),
      'duplicate-id /steps/0/wait/any/1/callback/name',
    ],
    ...[
      ['a link of no wait', '${callbacks.zz.x}'],
      ['a link of a step that has none', '${callbacks.b.x}'],
      ['a link that the wait does not have', '${callbacks.a.y}'],
      ['all links of a wait', '${callbacks.a}'],
      ['a part of a link', '${callbacks.a.x.y}'],
    ].map(([what, link]): [string, unknown, string] => [
      what ?? '',
      workflow([task('b', { input: { link } }), wait('a', { any: [{ callback: { name: 'x' } }] })]),
      'unknown-ref /steps/0/input/link',
    ]),
    ...(
      [
        ['when', task('b', { when: "callbacks.a.x == ''" }), '/steps/0/when'],
        ['an emit', { id: 'b', emit: { type: 'x', data: '${callbacks.a.x}' } }, '/steps/0/emit/data'],
        ['the key of an effect', effect('b', { key: '${callbacks.a.x}' }), '/steps/0/effect/key'],
        ['a review', { ...review('b'), input: '${callbacks.a.x}' }, '/steps/0/input'],
      ] as const
    ).map(([what, step, pointer]): [string, unknown, string] => [
      `a link in ${what}, where it would be no secret`,
      workflow([step, wait('a', { any: [{ callback: { name: 'x' } }] })]),
      `expression ${pointer}`,
    ]),
    ['mayResume', workflow([wait('a', { any: [{ signal: 'x', mayResume: ['user:ana'] }] })]), 'not_yet /steps/0/wait/any/0/mayResume'],
    [
      'staleReview that is not there',
      workflow([wait('a', { staleAfter: '1d', staleReview: 'x' })]),
      'unknown-ref /steps/0/wait/staleReview',
    ],
    [
      'staleReview without staleAfter',
      workflow([wait('a', { staleAfter: undefined, staleReview: 'x' }), { ...review('x'), side: true }]),
      'not_allowed /steps/0/wait/staleReview',
    ],
    [
      'staleReview that asks nobody',
      workflow([wait('a', { staleAfter: '1d', staleReview: 'x' }), { id: 'x', side: true, task: { queue: 'q' } }]),
      'not_allowed /steps/0/wait/staleReview',
    ],
    ['duplicates of no kind', workflow([task('a')], { on: [{ event: 'x', key: 'k', duplicates: 'twice' }] }), 'enum /on/0/duplicates'],

    ['a schema for what a wait gives', workflow([{ ...(wait('a') as object), output: { type: 'object' } }]), 'not_yet /steps/0/output'],
    [
      'a schema for what an emit gives',
      workflow([{ id: 'a', emit: { type: 'x' }, output: { type: 'object' } }]),
      'not_yet /steps/0/output',
    ],

    ...['timeout', 'lease', 'retry', 'fallback'].flatMap((field): [string, unknown, string][] => {
      const said = { [field]: { retry: 'patient', fallback: [{ queue: 'b' }] }[field] ?? '20s' };
      return [
        [`${field} of a wait`, workflow([wait('a', {}, said)]), `not_allowed /steps/0/${field}`],
        [`${field} of an emit`, workflow([{ id: 'a', emit: { type: 'x' }, ...said }]), `not_allowed /steps/0/${field}`],
      ];
    }),

    // Alternatives
    ['a fallback that is no list', workflow([task('a', { fallback: { queue: 'b' } })]), 'type /steps/0/fallback'],
    ['six of them', workflow([task('a', { fallback: [1, 2, 3, 4, 5, 6].map((n) => ({ queue: `b${n}` })) })]), 'maxItems /steps/0/fallback'],
    ['one without a queue', workflow([task('a', { fallback: [{ params: {} }] })]), 'required /steps/0/fallback/0/queue'],
    ['one whose queue is no name', workflow([task('a', { fallback: [{ queue: 'screen b' }] })]), 'pattern /steps/0/fallback/0/queue'],
    [
      'an unknown field of one',
      workflow([task('a', { fallback: [{ queue: 'b', input: {} }] })]),
      'unknown_field /steps/0/fallback/0/input',
    ],
    ['one twice', workflow([task('a', { fallback: [{ queue: 'b' }, { queue: 'b' }] })]), 'uniqueItems /steps/0/fallback'],
    ['the step itself', workflow([task('a', { fallback: [{ queue: 'b' }, { queue: 'q' }] })]), 'not_allowed /steps/0/fallback/1'],
    [
      'the step itself, its params written out',
      workflow([task('a', { params: { x: 1 }, fallback: [{ queue: 'q', params: { x: 1 } }] })]),
      'not_allowed /steps/0/fallback/0',
    ],
    [
      'params that read no step',
      workflow([task('a', { fallback: [{ queue: 'b', params: { x: '${steps.z.output}' } }] })]),
      'unknown-ref /steps/0/fallback/0/params/x',
    ],
    [
      'params that are no expression',
      workflow([task('a', { fallback: [{ queue: 'b', params: '${' }] })]),
      'expression /steps/0/fallback/0/params',
    ],

    // Reduced paths
    ['a reduced path that drops nothing', reducing({ drops: [] }), 'minItems /reduced/0/drops'],
    ['one without an id', reducing({ id: undefined }), 'required /reduced/0/id'],
    ['one without steps', reducing({ steps: undefined }), 'required /reduced/0/steps'],
    ['one without a summary', reducing({ summary: undefined }), 'required /reduced/0/summary'],
    ['an unknown field of one', reducing({ because: 'x' }), 'unknown_field /reduced/0/because'],
    ['one that drops what is not there', reducing({ drops: ['a', 'z'] }), 'unknown-ref /reduced/0/drops/1'],
    ['one that drops a step twice', reducing({ drops: ['a', 'a'] }), 'uniqueItems /reduced/0/drops'],
    ['one that drops its own step', reducing({ drops: ['a', 'r'] }), 'not_allowed /reduced/0/drops/1'],
    ['one with a step of no kind', reducing({ steps: [{ id: 'r' }] }), 'one_kind /reduced/0/steps/0'],
    ['one with a step that the workflow has, too', reducing({ steps: [task('a')] }), 'duplicate-id /reduced/0/steps/0/id'],
    ['a timeout of one’s step', reducing({ steps: [task('r', { timeout: '1826d' })] }), 'duration /reduced/0/steps/0/timeout'],
    ['one that waits for what is not there', reducing({ steps: [task('r', { after: ['z'] })] }), 'unknown-ref /reduced/0/steps/0/after/0'],
    ['one that waits for itself', reducing({ steps: [task('r', { after: ['s'] }), task('s')] }), 'cycle /reduced/0/steps/0/after'],
    [
      'an effect without purpose on one',
      reducing({ steps: [effect('r', {}, { purpose: undefined })] }),
      'effect-without-purpose /reduced/0/steps/0/purpose',
    ],
    [
      'a side step on one',
      reducing({ steps: [wait('w', { onDeadline: { step: 'r' } }), task('r', { side: true })] }),
      'not_allowed /reduced/0/steps/1/side',
    ],
    [
      'one that drops a side step',
      workflow([wait('a', { onDeadline: { step: 's' } }), task('s', { side: true })], {
        reduced: [{ id: 'less', drops: ['s'], steps: [], summary: 'x' }],
      }),
      'not_allowed /reduced/0/drops/0',
    ],
    [
      'two of one name',
      workflow([task('a'), task('b')], { reduced: ['a', 'b'].map((id) => ({ id: 'less', drops: [id], steps: [], summary: 'x' })) }),
      'duplicate-id /reduced/1/id',
    ],
    [
      'eleven of them',
      workflow([task('a')], { reduced: Array.from({ length: 11 }, (_, i) => ({ id: `r${i}`, drops: ['a'], steps: [], summary: 'x' })) }),
      'maxItems /reduced',
    ],
    [
      'a step of the workflow that waits for one’s',
      workflow([task('a'), task('b', { after: ['a', 'r'] })], {
        reduced: [{ id: 'less', drops: ['a'], steps: [task('r')], summary: 'x' }],
      }),
      'unreachable /steps/1/after',
    ],
    [
      'one that waits for another’s step',
      workflow([task('a')], {
        reduced: [
          { id: 'less', drops: ['a'], steps: [task('r')], summary: 'x' },
          { id: 'least', drops: ['a'], steps: [task('s', { after: ['r'] })], summary: 'x' },
        ],
      }),
      'unreachable /reduced/1/steps/0/after',
    ],

    // Effects
    ...['reconcile', 'compensate'].map((field): [string, unknown, string] => [
      `${field} by the queue that does it`,
      workflow([effect('a', { [field]: 'q' })]),
      `queue-taken /steps/0/effect/${field}`,
    ]),
    [
      'one queue that looks and undoes',
      workflow([effect('a', { reconcile: 'other', compensate: 'other' })]),
      'queue-taken /steps/0/effect/compensate',
    ],
    ['a queue that is no name', workflow([effect('a', { reconcile: 'No' })]), 'pattern /steps/0/effect/reconcile'],
    ['nobody who reconciles', workflow([effect('a', { guarantee: 'reconcile' })]), 'effect-without-reconcile /steps/0/effect/reconcile'],
    ['a guarantee that is none', workflow([effect('a', { guarantee: 'exactly_once' })]), 'enum /steps/0/effect/guarantee'],
    ['an effect without a queue', workflow([effect('a', { queue: undefined })]), 'required /steps/0/effect/queue'],
    ['an effect without a key', workflow([effect('a', { key: undefined })]), 'required /steps/0/effect/key'],
    ['an empty key', workflow([effect('a', { key: '' })]), 'minLength /steps/0/effect/key'],
    ['a key that is a number', workflow([effect('a', { key: 7 })]), 'type /steps/0/effect/key'],
    ['a key with a control', workflow([effect('a', { key: 'a\nb' })]), 'key /steps/0/effect/key'],
    ['a key of 257 characters', workflow([effect('a', { key: 'k'.repeat(257) })]), 'key /steps/0/effect/key'],
    ['a key that reads no step', workflow([effect('a', { key: '${steps.b.output}' })]), 'unknown-ref /steps/0/effect/key'],
    ['effect-without-purpose', workflow([effect('a', {}, { purpose: undefined })]), 'effect-without-purpose /steps/0/purpose'],
    ['no fields', workflow([effect('a', { fields: [] })]), 'minItems /steps/0/effect/fields'],
    ['a field that is no pointer', workflow([effect('a', { fields: ['amount'] })]), 'pattern /steps/0/effect/fields/0'],
    ['a field with a bad escape', workflow([effect('a', { fields: ['/a~2'] })]), 'pattern /steps/0/effect/fields/0'],
    ['a field twice', workflow([effect('a', { fields: ['/to', '/to'] })]), 'uniqueItems /steps/0/effect/fields'],
    ['a field that the input has not', workflow([effect('a', { fields: ['/to', '/sum'] })]), 'unknown-ref /steps/0/effect/fields/1'],
    ['an effect that repeats', workflow([effect('a', {}, { repeat: { until: 'true', max: 2 } })]), 'not_allowed /steps/0/repeat'],
    ['a task that is an effect', workflow([effect('a', {}, { task: { queue: 'q' } })]), 'one_kind /steps/0'],
    ['a risk that is none', workflow([effect('a', {}, { risk: 'huge' })]), 'enum /steps/0/risk'],
    ...['high', 'critical'].map((risk): [string, unknown, string] => [
      `an effect of ${risk} risk`,
      workflow([effect('a', {}, { risk })]),
      'effect-without-review /steps/0/risk',
    ]),

    // Durations (B-20)
    ...['0s', '-1s', '1y', '1.5h', 'P1Y', 'P1M', 'PT', 'P', '', 'soon'].map((text): [string, unknown, string] => [
      `timeout ${text}`,
      workflow([task('a', { timeout: text })]),
      `${/^([1-9][0-9]*[smhd]|P[0-9WDTHMS.]{2,40})$/.test(text) ? 'duration' : 'pattern'} /steps/0/timeout`,
    ]),
    ['a timeout of 0', workflow([task('a', { timeout: 0 })]), 'minimum /steps/0/timeout'],
    ['a timeout of half a millisecond', workflow([task('a', { timeout: 0.5 })]), ['type /steps/0/timeout', 'minimum /steps/0/timeout']],
    ['a timeout beyond five years', workflow([task('a', { timeout: '1826d' })]), 'duration /steps/0/timeout'],
    ['a lease below 5 s', workflow([task('a', { lease: '4s' })]), 'duration /steps/0/lease'],
    ['a lease above an hour', workflow([task('a', { lease: 3_600_001 })]), 'duration /steps/0/lease'],
    ['a look-back above 30 d', workflow([wait('a', { lookBack: '31d' })]), 'duration /steps/0/wait/lookBack'],
    ['keep above 365 d', workflow([task('a')], { on: [{ event: 'x', keep: '366d' }] }), 'duration /on/0/keep'],
    ['a short run of an hour', workflow([task('a')], { class: 'short', limits: { age: '1h' } }), 'duration /limits/age'],
    ['101 turns', workflow([task('a', { repeat: { until: 'true', max: 101 } })]), 'maximum /steps/0/repeat/max'],

    [
      'a timer at a year of six digits',
      workflow([wait('a', { any: [{ timer: { at: '+275760-09-13T00:00:00Z' } }] })]),
      'instant /steps/0/wait/any/0/timer/at',
    ],
    ['a timer at no time', workflow([wait('a', { any: [{ timer: { at: 'NaN' } }] })]), 'instant /steps/0/wait/any/0/timer/at'],
    [
      'a deadline on a day that is none',
      workflow([wait('a', { deadline: { at: '2027-02-30T00:00:00Z' } })]),
      'instant /steps/0/wait/deadline/at',
    ],
    ['turn where nothing turns', workflow([task('a', { input: '${turn}' })]), 'expression /steps/0/input'],

    // The graph (B-23)
    ['duplicate-id', workflow([task('a'), task('a')]), 'duplicate-id /steps/1/id'],
    [
      'a checkpoint declared twice',
      workflow([task('a', { checkpoint: 'c' }), task('b', { checkpoint: 'c' })]),
      'duplicate-id /steps/1/checkpoint',
    ],
    ['unknown-ref in after', workflow([task('a', { after: ['b'] })]), 'unknown-ref /steps/0/after/0'],
    ['cycle of one', workflow([task('a', { after: ['a'] })]), 'cycle /steps/0/after'],
    ['cycle of three', workflow([task('a', { after: ['c'] }), task('b'), task('c')]), 'cycle /steps/0/after'],
    ['join of more than there are', workflow([task('a'), task('b', { join: 2 })]), 'join /steps/1/join'],
    ['side-never-named', workflow([task('a'), task('b', { side: true })]), 'side-never-named /steps/1'],
    [
      'a side step with after',
      workflow([wait('a', { onDeadline: { step: 'b' } }), task('b', { side: true, after: ['a'] })]),
      'not_allowed /steps/1/after',
    ],
    ['onDeadline names nothing', workflow([wait('a', { onDeadline: { step: 'b' } })]), 'unknown-ref /steps/0/wait/onDeadline/step'],
    [
      'onDeadline names a main step',
      workflow([wait('a', { onDeadline: { step: 'b' } }), task('b')]),
      'not_side /steps/0/wait/onDeadline/step',
    ],
    [
      'two waits name one side step',
      workflow([wait('a', { onDeadline: { step: 's' } }), wait('b', { onDeadline: { step: 's' } }), task('s', { side: true })]),
      'not_allowed /steps/1/wait/onDeadline/step',
    ],
    [
      'unreachable behind a side step',
      workflow([wait('a', { onDeadline: { step: 's' } }), task('s', { side: true }), task('b', { after: ['a', 's'] })]),
      'unreachable /steps/2/after',
    ],
    ['unreachable by its own condition', workflow([task('a', { when: 'false' })]), 'unreachable /steps/0/when'],
    ['loop-unbounded', workflow([task('a', { repeat: { until: 'turn > 3' } })]), 'loop-unbounded /steps/0/repeat'],
    ['repeat on a wait', workflow([wait('a', {}, { repeat: { until: 'true', max: 2 } })]), 'not_allowed /steps/0/repeat'],
    ['a wait in a short run', workflow([wait('a')], { class: 'short' }), 'short-class /steps/0'],

    // Waits
    ['a deadline without consequence', workflow([wait('a', { onDeadline: undefined })]), 'required /steps/0/wait/onDeadline'],
    [
      'a consequence without deadline',
      workflow([wait('a', { deadline: undefined, noDeadline: { because: 'x' } })]),
      'not_allowed /steps/0/wait/onDeadline',
    ],
    ['two consequences', workflow([wait('a', { onDeadline: { value: 1, giveUp: true } })]), 'maxProperties /steps/0/wait/onDeadline'],
    ['deadline and noDeadline', workflow([wait('a', { noDeadline: { because: 'x' } })]), 'not_allowed /steps/0/wait/noDeadline'],
    ['an unknown kind of failure', workflow([wait('a', { onDeadline: { fail: 'oops' } })]), 'pattern /steps/0/wait/onDeadline/fail'],
    ['giving up half', workflow([wait('a', { onDeadline: { giveUp: false } })]), 'const /steps/0/wait/onDeadline/giveUp'],
    [
      'atLeast of more than there are',
      workflow([wait('a', { any: undefined, atLeast: { k: 2, of: [{ signal: 'x' }] } })]),
      'join /steps/0/wait/atLeast/k',
    ],

    // Expressions and references (B-24)
    ['JavaScript', workflow([task('a', { when: 'constructor.constructor("return process")()' })]), 'expression /steps/0/when'],
    ['this', workflow([task('a', { when: 'this' })]), 'expression /steps/0/when'],
    ['an empty ${}', workflow([task('a', { input: { x: '${}' } })]), 'expression /steps/0/input/x'],
    ['an open ${', workflow([task('a', { input: { x: '${input.x' } })]), 'expression /steps/0/input/x'],
    ['an unknown root', workflow([task('a', { when: 'env.HOME == 1' })]), 'expression /steps/0/when'],
    ['the event outside of an event', workflow([task('a', { when: 'event.data.x' })]), 'expression /steps/0/when'],
    [
      'the run inside of where',
      workflow([wait('a', { any: [{ event: { type: 'x', key: 'k', where: 'input.x == event.data.x' } }] })]),
      'expression /steps/0/wait/any/0/event/where',
    ],
    [
      'a comprehension inside another (B-26)',
      workflow([task('a', { when: 'input.l.all(x, input.l.all(y, x == y))' })]),
      'expression /steps/0/when',
    ],
    ['unknown-ref in an expression', workflow([task('a', { when: "steps.b.status == 'succeeded'" })]), 'unknown-ref /steps/0/when'],
    ['an unknown field of a step', workflow([task('a'), task('b', { when: 'steps.a.result == 1' })]), 'unknown-ref /steps/1/when'],
    [
      'a name with - read as minus (T-35)',
      workflow([task('fetch-doc'), task('b', { when: 'steps.fetch-doc.output.x == 1' })]),
      'expression /steps/1/when',
    ],

    // Schemas (B-25)
    ['a keyword that does not exist', workflow([task('a')], { input: { type: 'object', requried: ['x'] } }), 'schema /input'],
    ['a remote reference', workflow([task('a')], { input: { $ref: 'https://example.com/schema' } }), 'schema /input'],
    ['an identity of its own', workflow([task('a')], { input: { $id: 'https://example.com/schema' } }), 'schema /input'],
    ['a pattern beyond RE2', workflow([task('a', { output: { type: 'string', pattern: '(?=a)b' } })]), 'schema /steps/0/output'],
    ['an unknown format', workflow([task('a')], { output: { schema: { format: 'colour' } } }), 'schema /output/schema'],

    // Waivers
    [
      'a waiver of what cannot be waived',
      workflow([task('a')], { waive: [{ rule: 'cycle', because: 'x' }] }),
      'not_waivable /waive/0/rule',
    ],
    [
      'a waiver for no step',
      workflow([task('a')], { waive: [{ rule: 'nullable-ref', step: 'b', because: 'x' }] }),
      'unknown-ref /waive/0/step',
    ],
    ['a waiver without reason', workflow([task('a')], { waive: [{ rule: 'nullable-ref' }] }), 'required /waive/0/because'],
  ])('%s', (_, document, expected) => {
    expect(errorsOf(compileDefinition(document))).toEqual([expected].flat());
  });
});

it('takes a time that is written out, one that is computed, and the turn in what a loop gives its handler', () => {
  const good = workflow([
    wait('a', { any: [{ timer: { at: '2027-01-31T09:00:00Z' } }], deadline: { at: '${input.until}' } }),
    task('b', { repeat: { until: 'turn == 2', max: 3 }, input: { page: '${turn}' }, params: { page: '${turn}' } }),
  ]);
  expect(errorsOf(compileDefinition(good))).toEqual([]);
});

const reader = (expression: string, more: Fields = {}): Fields => task('b', { input: { x: `\${${expression}}` }, ...more });
/** A reduced path that drops the steps that are named, and begins with task `r` and the steps that are given. */
const lessOf = (...parts: readonly (string | Fields)[]): Fields => ({
  reduced: [
    {
      id: 'less',
      drops: parts.filter((part) => typeof part === 'string'),
      steps: [task('r'), ...parts.filter((part) => typeof part !== 'string')],
      summary: 'less',
    },
  ],
});

describe('rules of judgement', () => {
  const cases: [string, readonly unknown[], string][] = [
    ['wait-without-deadline', [wait('a', { deadline: undefined, onDeadline: undefined })], '/steps/0/wait'],
    ['wait-without-key', [wait('a', { any: [{ event: { type: 'a.b' } }] })], '/steps/0/wait'],
    ['wait-without-staleness', [wait('a', { staleAfter: undefined })], '/steps/0/wait'],
    ['effect-without-guarantee', [effect('a', { guarantee: undefined })], '/steps/0/effect/guarantee'],
    ['nullable-ref', [task('a', { optional: true }), task('b', { input: { x: '${steps.a.output.x}' } })], '/steps/1/input/x'],
  ];

  it.each(cases)('%s warns, refuses in class long, and is silenced by a waiver that stays visible', (rule, steps, pointer) => {
    const found = `${rule} ${pointer}`;
    expect(warningsOf(compileDefinition(workflow(steps)))).toEqual([found]);
    expect(errorsOf(compileDefinition(workflow(steps, { class: 'long' })))).toEqual([found]);
    const waived = compileDefinition(workflow(steps, { class: 'long', waive: [{ rule, because: 'agreed with the desk' }] }));
    expect(waived).toMatchObject({ ok: true, warnings: [{ rule, says: expect.stringContaining('agreed with the desk') }] });
  });

  it('an effect of high risk is refused in every class, and runs with a waiver that says why', () => {
    for (const one of ['short', 'standard', 'long']) {
      const document = workflow([effect('a', {}, { risk: 'high' })], { class: one });
      expect(errorsOf(compileDefinition(document))).toEqual(['effect-without-review /steps/0/risk']);
      const waive = [{ rule: 'effect-without-review', step: 'a', because: 'five people signed the contract' }];
      expect(compileDefinition({ ...document, waive })).toMatchObject({
        ok: true,
        warnings: [{ rule: 'effect-without-review', says: expect.stringContaining('five people signed') }],
      });
    }
  });

  it('an effect of high risk needs no waiver where a review authorises it', () => {
    const steps = [review('a', { authorises: ['b'] }), effect('b', {}, { risk: 'critical' })];
    expect(compileDefinition(workflow(steps))).toMatchObject({ ok: true, warnings: [] });
    expect(errorsOf(compileDefinition(workflow([review('a'), steps[1]])))).toEqual(['effect-without-review /steps/1/risk']);
  });

  it.each<[string, unknown, boolean]>([
    ['what a reduced path may drop', workflow([task('a'), reader('steps.a.output.x')], lessOf('a')), true],
    ['the same, as a whole', workflow([task('a'), reader('steps.a.output')], lessOf('a')), false],
    [
      'the same, which is asked for',
      workflow([task('a'), reader("steps.a.status == 'succeeded' ? steps.a.output.x : 0")], lessOf('a')),
      false,
    ],
    ['the same, by a step that goes with it', workflow([task('a'), reader('steps.a.output.x')], lessOf('a', 'b')), false],
    ['a step that no path drops', workflow([task('a'), reader('steps.a.output.x')], lessOf('b')), false],
    ['a step of a reduced path', workflow([task('a'), task('b', { input: '${steps.r.output}' })], lessOf('a')), true],
    ['the same, asked for its status', workflow([task('a'), task('b', { when: "steps.r.status == 'succeeded'" })], lessOf('a')), false],
    ['a step above on the same reduced path', workflow([task('a')], lessOf('a', task('s', { input: '${steps.r.output.x}' }))), false],
    [
      'a step of the workflow that comes before',
      workflow([task('a'), task('c')], lessOf('c', task('s', { after: ['a'], input: '${steps.a.output.x}' }))),
      false,
    ],
    [
      'one that need not have come before',
      workflow([task('a'), task('c')], lessOf('c', task('s', { after: [], input: '${steps.a.output.x}' }))),
      true,
    ],
  ])('nullable-ref: %s', (_, document, found) => {
    expect(warningsOf(compileDefinition(document)).filter((text) => text.startsWith('nullable-ref')).length > 0).toBe(found);
    expect(errorsOf(compileDefinition(document))).toEqual([]);
  });

  it('says when a waiver silences nothing', () => {
    expect(warningsOf(compileDefinition(workflow([task('a')], { waive: [{ rule: 'nullable-ref', because: 'x' }] })))).toEqual([
      'waiver-unused /waive/0',
    ]);
  });

  it.each<[string, readonly unknown[], boolean]>([
    ['the output of a step with when', [task('a', { when: 'input.x' }), reader('steps.a.output.x')], true],
    ['its whole output, which reads null', [task('a', { when: 'input.x' }), reader('steps.a.output')], false],
    ['compared with null', [task('a', { when: 'input.x' }), reader('steps.a.output == null ? 0 : steps.a.output.x')], false],
    ['asked for by status', [task('a', { when: 'input.x' }), reader("steps.a.status == 'succeeded' ? steps.a.output.x : 0")], false],
    [
      'asked for by the when of the reader',
      [task('a', { when: 'input.x' }), reader('steps.a.output.x', { when: "steps.a.status == 'succeeded'" })],
      false,
    ],
    ['a step that is always there', [task('a'), reader('steps.a.output.x')], false],
    ['a step two above', [task('a'), task('c'), reader('steps.a.output.x')], false],
    ['a step beside', [task('a'), reader('steps.a.output', { after: [] })], true],
    ['a step below', [reader('steps.a.output'), task('a')], true],
    [
      'a step beside that is asked for its status',
      [task('a'), reader("steps.a.status == 'pending' ? 0 : steps.a.output.x", { after: [] })],
      false,
    ],
    [
      'one of two of which one is enough',
      [task('a'), task('c', { after: [] }), reader('steps.a.output', { after: ['a', 'c'], join: 'any' })],
      true,
    ],
    [
      'what both of two come after',
      [task('a'), task('c'), task('d', { after: ['a'] }), reader('steps.a.output', { after: ['c', 'd'], join: 'any' })],
      false,
    ],
    ['itself', [reader('steps.b.output')], true],
    ['a side step', [wait('w', { onDeadline: { step: 's' } }), task('s', { side: true }), reader('steps.s.output')], true],
    [
      'a side step reads its wait',
      [task('a'), wait('w', { onDeadline: { step: 'b' } }), reader('steps.a.output.x + steps.w.output.trigger', { side: true })],
      false,
    ],
  ])('nullable-ref: %s', (_, steps, found) => {
    expect(warningsOf(compileDefinition(workflow(steps))).some((text) => text.startsWith('nullable-ref'))).toBe(found);
  });
});

describe('all problems at once (B-23)', () => {
  it('reports shape, graph, expressions, schemas and what is not there yet together', () => {
    const document = workflow(
      [
        task('a', { after: ['b'], colour: 'red' }),
        task('b', { when: 'steps.zz.output == 1', timeout: '1y' }),
        { id: 'b', agent: {} },
        task('s', { side: true }),
        wait('w', { any: [{ event: { type: 'UPPER', key: '${nope.x}' } }, 7] }),
      ],
      { version: 'one', input: { type: 'objekt' } },
    );
    expect(errorsOf(compileDefinition(document)).sort()).toEqual(
      [
        'pattern /version',
        'unknown_field /steps/0/colour',
        'pattern /steps/1/timeout',
        'not_yet /steps/2/agent',
        'pattern /steps/4/wait/any/0/event/type',
        'type /steps/4/wait/any/1',
        'schema /input',
        'duplicate-id /steps/2/id',
        'cycle /steps/0/after',
        'unknown-ref /steps/1/when',
        'expression /steps/4/wait/any/0/event/key',
        'side-never-named /steps/3',
      ].sort(),
    );
  });

  it('answers any damage to a good definition with errors, never with an exception', () => {
    const good = workflow(
      [
        task('a', { repeat: { until: 'turn > 1', max: 3 } }),
        wait('w', { onDeadline: { step: 's' } }),
        task('s', { side: true }),
        effect('p', { fields: ['/to'] }, { risk: 'low', fallback: [{ queue: 'b', params: { x: '${steps.a.output}' } }] }),
        { id: 'e', emit: { type: 'x', data: { y: '${steps.a.output}' } } },
      ],
      {
        on: [{ event: 'x', key: '${event.key}' }],
        output: { value: 1 },
        limits: { age: '1d' },
        waive: [{ rule: 'nullable-ref', because: 'x' }],
        attributes: { a: '${input.x}' },
        reduced: [{ id: 'less', drops: ['a', 'p'], steps: [task('r'), { id: 't', emit: { type: 'x' } }], summary: 'x' }],
      },
    );
    const places: (string | number)[][] = [];
    const collect = (value: unknown, path: (string | number)[]): void => {
      if (path.length > 0) places.push(path);
      if (typeof value === 'object' && value !== null)
        for (const [key, child] of Object.entries(value)) collect(child, [...path, Array.isArray(value) ? Number(key) : key]);
    };
    collect(good, []);
    for (const path of places) {
      for (const damage of [null, 7, 'text', [], {}, [null], { a: 1 }, true, undefined]) {
        const copy = structuredClone(good) as { [key: string]: unknown };
        const parent = path.slice(0, -1).reduce<unknown>((value, part) => (value as { [key: string]: unknown })[part], copy) as {
          [key: string]: unknown;
        };
        parent[path.at(-1) as string] = damage;
        const compiled = compileDefinition(copy);
        if (!compiled.ok)
          for (const { pointer, rule, says } of compiled.errors) expect(`${pointer}${rule}${says}`).not.toContain('undefined');
      }
    }
    expect(places.length).toBeGreaterThan(40);
  });

  it('answers 100,000 steps at once', () => {
    const compiled = compileDefinition(workflow(Array.from({ length: 100_000 }, () => ({ id: 'a' }))));
    expect(errorsOf(compiled)).toEqual(['too_large ']);
  });
});

it.each([
  [effect('a', { fields: ['/to/iban', '/amount'] })], // What an expression gives is known only when it runs.
  [effect('a', { fields: ['/0/x'] }, { input: ['${input}'] })],
  [effect('a', { fields: ['/a~1b/~0'] }, { input: { 'a/b': { '~': 1 } } })],
  [
    effect(
      'a',
      { fields: [''], key: 'the-same-for-every-run' },
      { output: { type: 'object' }, timeout: '1h', lease: '20s', retry: 'patient' },
    ),
  ],
])('takes an effect as it may be written: %#', (step) => {
  for (const one of ['short', 'standard', 'long']) expect(warningsOf(compileDefinition(workflow([step], { class: one })))).toEqual([]);
});

it('hints at the bracket form (T-35)', () => {
  const compiled = compileDefinition(workflow([task('fetch-doc'), task('b', { input: { x: '${steps.fetch-doc.output}' } })]));
  expect(compiled).toMatchObject({ ok: false, errors: [{ says: expect.stringContaining("steps['fetch-doc']") }] });
});
