import { describe, expect, it } from '@jest/globals';
import { InvariantBroken } from '@cairn/kernel';
import { compileDefinition, compileDefinitionText, planOf, type Definition, type Plan, type Scope } from './index.js';

const YAML = `
cairn: 1
name: vendor-onboarding
version: 3.2.0
class: long
goal: Vendor \${input.vendorId} may be paid, or is declined
input:
  type: object
  properties: { vendorId: { type: string, pattern: "^V-[0-9]+$" }, limitEur: { type: number } }
  required: [vendorId]
  additionalProperties: false
attributes: { vendor: "\${input.vendorId}" }
on: [{ event: procurement.vendor.requested, key: "\${event.data.vendorId}", where: "event.data.limitEur > 0.0" }]
retry: patient
limits: { age: 30d }
steps:
  - { id: screen, task: { queue: screening }, input: { id: "\${input.vendorId}" }, retry: http-default@4, fallback: [{ queue: screen-b }, { queue: screening, params: { list: "\${input.vendorId}" } }], output: { type: object, required: [risk] } }
  - id: documents
    after: []
    wait:
      any: [{ event: { type: dms.document.received, key: "\${input.vendorId}", where: "event.data.kind == 'W8'" } }, { signal: go-on }, { timer: PT36H }]
      deadline: 14d
      staleAfter: 7d
      onDeadline: { step: chase }
      guard: event.data.pages > steps.screen.attempts
      lookBack: 2d
  - { id: chase, side: true, task: { queue: vendor-desk } }
  - { id: poll, after: [screen, documents], join: any, task: { queue: files }, repeat: { until: "output.done || turn == 3", max: 5, pause: 10s }, checkpoint: filed }
  - { id: tell, optional: true, emit: { type: vendor.done, key: "\${input.vendorId}", data: { turns: "\${steps.poll.attempts}" } } }
waive:
  - { rule: nullable-ref, step: documents, because: the guard looks at what is known so far }
reduced:
  - { id: by-hand, drops: [screen, poll], summary: nobody screens, steps: [{ id: look, after: [documents], task: { queue: vendor-desk }, retry: slow }, { id: noted, emit: { type: vendor.noted } }] }
output: { value: { vendor: "\${input.vendorId}" } }
`;

function compiledPlan(): Plan {
  const compiled = compileDefinitionText(YAML, 'yaml');
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  return planOf(compiled.definition);
}

const plan = compiledPlan();
const scope: Scope = { run: { id: 'r' }, input: { vendorId: 'V-1' }, steps: { poll: { status: 'succeeded', output: {}, attempts: 2 } } };

describe('planOf', () => {
  it('fills in what the document leaves out', () => {
    expect(plan).toMatchObject({
      name: 'vendor-onboarding',
      version: '3.2.0',
      class: 'long',
      mainCount: 4,
      limits: { ageMs: 2_592_000_000, occurrences: 2_000, branches: 50 },
    });
    expect(plan.step('chase')).toMatchObject({
      kind: 'task',
      side: true,
      after: [],
      timeoutMs: 600_000,
      leaseMs: 60_000,
      retry: { name: 'patient' },
    });
    expect(plan.step('nobody')).toBeUndefined();
    expect(plan.retryPolicies).toEqual([{ name: 'http-default', version: 4 }, { name: 'patient' }, { name: 'slow' }]);
  });

  it('knows the graph both ways', () => {
    expect(plan.steps.map(({ id, after, join, dependents }) => ({ id, after, k: join.k, dependents }))).toEqual([
      { id: 'screen', after: [], k: 0, dependents: ['poll'] },
      { id: 'documents', after: [], k: 0, dependents: ['poll', 'look'] },
      { id: 'chase', after: [], k: 0, dependents: [] },
      { id: 'poll', after: ['screen', 'documents'], k: 1, dependents: ['tell'] },
      { id: 'tell', after: ['poll'], k: 1, dependents: [] },
      { id: 'look', after: ['documents'], k: 1, dependents: ['noted'] },
      { id: 'noted', after: ['look'], k: 1, dependents: [] },
    ]);
  });

  it('plans reduced paths: their steps stand behind the others, and say where they belong', () => {
    expect(plan.reduced).toEqual([{ id: 'by-hand', drops: ['screen', 'poll'], steps: ['look', 'noted'], summary: 'nobody screens' }]);
    expect(plan.steps.map(({ index, reduced }) => [index, reduced]).slice(3)).toEqual([
      [3, undefined],
      [4, undefined],
      [5, 'by-hand'],
      [6, 'by-hand'],
    ]);
    expect(plan.step('noted')).toMatchObject({ pointer: '/reduced/0/steps/1', document: { id: 'noted' } });
  });

  it('plans alternatives, with params where they have their own', () => {
    const [first, second, ...more] = plan.step('screen')?.fallback ?? [];
    expect([first, second?.queue, more]).toEqual([{ queue: 'screen-b' }, 'screening', []]);
    expect(second?.params?.evaluate(scope)).toEqual({ ok: true, value: { list: 'V-1' } });
    expect(plan.step('poll')?.fallback).toEqual([]);
  });

  it('plans waits', () => {
    expect(plan.step('documents')?.wait).toMatchObject({
      mode: 'any',
      k: 1,
      triggers: [
        { kind: 'event', type: 'dms.document.received', where: "event.data.kind == 'W8'", keepMs: 604_800_000 },
        { kind: 'signal', name: 'go-on' },
        { kind: 'timer', afterMs: 129_600_000 },
      ],
      deadline: { kind: 'after', ms: 1_209_600_000 },
      onDeadline: { step: 'chase' },
      staleAfterMs: 604_800_000,
      lookBack: 172_800_000,
      keepOpen: false,
    });
    expect(plan.step('documents')?.stepRefs).toEqual(['screen']);
  });

  it('plans loops, emits, goal, attributes and output as expressions', () => {
    const { repeat } = plan.step('poll') ?? {};
    expect(repeat).toMatchObject({ max: 5, pauseMs: 10_000 });
    expect(repeat?.until.evaluate({ output: { done: false }, turn: 3 })).toEqual({ ok: true, value: true });
    expect(plan.step('tell')?.emit?.data.evaluate(scope)).toEqual({ ok: true, value: { turns: 2 } });
    expect(plan.step('tell')?.stepRefs).toEqual(['poll']);
    expect(plan.goal?.evaluate(scope)).toEqual({ ok: true, value: 'Vendor V-1 may be paid, or is declined' });
    expect(plan.attributes['vendor']?.evaluate(scope)).toEqual({ ok: true, value: 'V-1' });
    expect(plan.output?.value?.evaluate(scope)).toEqual({ ok: true, value: { vendor: 'V-1' } });
  });

  it('plans start triggers', () => {
    const [start] = plan.starts;
    const event = { data: { vendorId: 'V-2', limitEur: 5 } };
    expect(start).toMatchObject({ type: 'procurement.vendor.requested', keepMs: 604_800_000, duplicates: 'attach' });
    expect(start?.key?.evaluate({ event })).toEqual({ ok: true, value: 'V-2' });
    expect(start?.where?.evaluate({ event })).toEqual({ ok: true, value: true });
    expect(start?.input.evaluate({ event })).toEqual({ ok: true, value: event.data });
  });

  it('checks input and outputs, all fields at once, with pointers', () => {
    expect(plan.validateInput({ vendorId: 'V-1' })).toEqual([]);
    expect(
      plan
        .validateInput({ vendorId: 'x', limitEur: '1', more: 1 })
        .map(({ pointer, rule }) => `${rule} ${pointer}`)
        .sort(),
    ).toEqual(['pattern /vendorId', 'type /limitEur', 'unknown_field /more']);
    expect(plan.validateInput({}).map(({ pointer, rule }) => `${rule} ${pointer}`)).toEqual(['required /vendorId']);
    expect(plan.step('screen')?.validateOutput({})).toMatchObject([{ rule: 'required', pointer: '/risk' }]);
    expect(plan.step('poll')?.validateOutput('anything')).toEqual([]);
  });

  it('tells inherited fields from given ones', () => {
    const compiled = compileDefinition({
      cairn: 1,
      name: 'a',
      version: '1.0.0',
      input: { type: 'object', required: ['constructor'] },
      steps: [{ id: 'a', task: { queue: 'q' } }],
    });
    expect(compiled.ok && planOf(compiled.definition).validateInput({})).toMatchObject([{ rule: 'required' }]);
  });

  it('answers a pattern of an author in linear time (B-25)', () => {
    const compiled = compileDefinition({
      cairn: 1,
      name: 'a',
      version: '1.0.0',
      input: { type: 'string', pattern: '^(a+)+$' },
      steps: [{ id: 'a', task: { queue: 'q' } }],
    });
    const began = process.cpuUsage();
    expect(compiled.ok && planOf(compiled.definition).validateInput(`${'a'.repeat(50_000)}b`)).toMatchObject([{ rule: 'pattern' }]);
    const { user, system } = process.cpuUsage(began); // Not time: who else is on this core is none of its cost.
    expect(user + system).toBeLessThan(2_000_000);
  });

  it('is one plan for equal definitions, also after they were read back', () => {
    expect(compiledPlan()).toBe(plan);
    expect(planOf(JSON.parse(JSON.stringify(plan.definition)) as Definition)).toBe(plan);
  });

  it('throws for what was never compiled', () => {
    const broken = { cairn: 1, name: 'a', version: '1.0.0', steps: [{ id: 'a', task: { queue: 'q' }, when: ')' }] } as const;
    expect(() => planOf(broken)).toThrow(InvariantBroken);
  });
});

describe('a definition that is refused', () => {
  it('is told beside what is wrong what would be let pass, so that nobody mends it twice (B-23)', () => {
    const compiled = compileDefinition({
      cairn: 1,
      name: 'w',
      version: '1.0.0',
      steps: [
        { id: 'a', task: { queue: 'q' }, input: '${steps.nobody.output}' },
        { id: 'b', wait: { any: [{ signal: 'go' }] } },
      ],
    });
    expect(compiled).toMatchObject({
      ok: false,
      errors: [{ rule: 'unknown-ref' }],
      warnings: expect.arrayContaining([expect.objectContaining({ pointer: '/steps/1/wait', rule: 'wait-without-deadline' })]),
    });
  });
});
