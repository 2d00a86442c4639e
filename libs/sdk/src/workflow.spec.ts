import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { compileDefinitionText, hashDefinition } from '@cairn/domain-definition';
import { DefinitionRefused, workflow } from './workflow.js';
import { ref, withoutRefs } from './workflow-ref.js';

const YAML = `
cairn: 1
name: vendor-onboarding
version: 3.2.0
class: long
goal: Vendor \${input.vendorId} may be paid, or is declined
input:
  type: object
  properties: { vendorId: { type: string }, limitEur: { type: number }, mail: { type: string, format: email } }
  required: [vendorId, limitEur]
on: [{ event: procurement.vendor.requested, key: "\${event.data.vendorId}" }]
steps:
  - { id: fetch-doc, task: { queue: screening }, input: { id: "\${input.vendorId}" }, retry: http-default@4, fallback: [{ queue: screen-b }, { queue: screening, params: { list: "\${input.vendorId}" } }], timeout: 2h }
  - id: documents
    after: []
    wait:
      any: [{ event: { type: dms.document.received, key: "\${input.vendorId}", where: "event.data.kind == 'W8'" } }, { signal: go-on }]
      deadline: 14d
      staleAfter: 7d
      onDeadline: { step: chase }
  - { id: chase, side: true, task: { queue: vendor-desk } }
  - { id: poll, after: [fetch-doc, documents], task: { queue: files }, repeat: { until: output.done, max: 5 }, output: { type: object, properties: { done: { type: boolean } }, required: [done], additionalProperties: {} } }
  - { id: activate, purpose: make the vendor payable, effect: { queue: erp, key: "vendor:\${input.vendorId}:activate", fields: [/limitEur], guarantee: idempotent }, input: { limitEur: "\${input.limitEur}" }, risk: high, lease: 30s }
  - { id: tell, emit: { type: vendor.done, data: { risk: "\${steps['fetch-doc'].output.risk}", who: "vendor:\${input.vendorId}" } } }
reduced:
  - { id: by-hand, drops: [poll], summary: nobody screens, steps: [{ id: screen-by-hand, task: { queue: vendor-desk } }, { id: noted, emit: { type: vendor.noted } }] }
  - { id: skip, drops: [poll], summary: no files, steps: [] }
output: { value: "\${steps['fetch-doc'].output}" }
waive: [{ rule: effect-without-review, step: activate, because: the desk has signed }]
`;

const begun = workflow('vendor-onboarding', {
  version: '3.2.0',
  class: 'long',
  goal: `Vendor ${ref.input.vendorId} may be paid, or is declined`,
  waive: [{ rule: 'effect-without-review', step: 'activate', because: 'the desk has signed' }],
})
  .input(z.object({ vendorId: z.string(), limitEur: z.number(), mail: z.email().optional() }))
  .on({ event: 'procurement.vendor.requested', key: '${event.data.vendorId}' });

const built = begun
  .task('fetch-doc', {
    queue: 'screening',
    input: { id: ref.input.vendorId },
    retry: 'http-default@4',
    fallback: [{ queue: 'screen-b' }, { queue: 'screening', params: { list: ref.input.vendorId } }],
    timeout: '2h',
  })
  .wait('documents', {
    after: [],
    deadline: '14d',
    staleAfter: '7d',
    onDeadline: { step: 'chase' },
    any: [{ event: { type: 'dms.document.received', key: ref.input.vendorId, where: "event.data.kind == 'W8'" } }, { signal: 'go-on' }],
  })
  .task('chase', { side: true, queue: 'vendor-desk' })
  .task('poll', {
    after: ['fetch-doc', 'documents'],
    queue: 'files',
    repeat: { until: 'output.done', max: 5 },
    output: z.looseObject({ done: z.boolean() }),
  })
  .effect('activate', {
    purpose: 'make the vendor payable',
    queue: 'erp',
    key: `vendor:${ref.input.vendorId}:activate`,
    fields: ['/limitEur'],
    guarantee: 'idempotent',
    input: { limitEur: ref.input.limitEur },
    risk: 'high',
    lease: '30s',
  })
  .emit('tell', { type: 'vendor.done', data: { risk: ref.steps['fetch-doc'].output.risk, who: `vendor:${ref.input.vendorId}` } })
  .reduced('by-hand', { drops: ['poll'], summary: 'nobody screens' }, (path) =>
    path.task('screen-by-hand', { queue: 'vendor-desk' }).emit('noted', { type: 'vendor.noted' }),
  )
  .reduced('skip', { drops: ['poll'], summary: 'no files' })
  .output({ value: ref.steps['fetch-doc'].output });

describe('workflow', () => {
  it('gives the same hash as the YAML of the same workflow', () => {
    const fromYaml = compileDefinitionText(YAML, 'yaml');
    expect(fromYaml).toMatchObject({ ok: true });
    expect(fromYaml.ok && fromYaml.hash).toBe(hashDefinition(built.build()));
  });

  it('gives the same hash as the document of the same decisions and reviews', () => {
    const steps = [
      { id: 'kind', decide: { queue: 'model', choices: ['bug', 'question'] } },
      {
        id: 'ask',
        when: "steps.kind.output.choice == 'bug'",
        review: { queue: 'desk', question: 'Fix it?', deadline: '2d', quorum: { of: 2 }, escalate: [{ to: 'group:leads', after: '1d' }] },
      },
    ];
    const document = compileDefinitionText(JSON.stringify({ cairn: 1, name: 'triage', version: '1.0.0', steps }), 'json');
    const made = workflow('triage', { version: '1.0.0' })
      .decide('kind', { queue: 'model', choices: ['bug', 'question'] })
      .review('ask', {
        when: "steps.kind.output.choice == 'bug'",
        queue: 'desk',
        question: 'Fix it?',
        deadline: '2d',
        quorum: { of: 2 },
        escalate: [{ to: 'group:leads', after: '1d' }],
      })
      .build();
    expect(document.ok && document.hash).toBe(hashDefinition(made));
  });

  it('lists all problems in one error', () => {
    const bad = workflow('Bad', { version: '1' }).task('a', { queue: 'q', after: ['b'], when: 'nope' });
    expect(() => bad.build()).toThrow(DefinitionRefused);
    try {
      bad.build();
    } catch (error) {
      expect((error as DefinitionRefused).errors.map(({ rule, pointer }) => `${rule} ${pointer}`)).toEqual([
        'pattern /name',
        'pattern /version',
        'expression /steps/0/when',
        'unknown-ref /steps/0/after/0',
      ]);
      expect((error as Error).message).toContain('/steps/0/after/0 unknown-ref');
    }
  });

  it('refuses what this release does not know, also from plain JavaScript', () => {
    const bad = workflow('one', { version: '1.0.0' }).task('a', { queue: 'q', colour: 'red' } as never);
    expect(() => bad.build()).toThrow('unknown_field');
  });

  it('lets a common beginning be continued in two ways', () => {
    const begun = workflow('one', { version: '1.0.0' }).input(z.object({}));
    const [one, two] = [begun.task('a', { queue: 'q' }), begun.task('b', { queue: 'q' })];
    expect(one.build().steps.map(({ id }) => id)).toEqual(['a']);
    expect(two.build().steps.map(({ id }) => id)).toEqual(['b']);
  });

  it('is compiled again as what it gives, also where it says what is the default', () => {
    const said = workflow('one', { version: '1.0.0', class: 'long' })
      .effect('pay', { purpose: 'x', queue: 'q', key: 'k', guarantee: 'none', risk: 'medium' })
      .build();
    expect(compileDefinitionText(JSON.stringify(said), 'json')).toMatchObject({ ok: true, definition: said, warnings: [] });
  });

  it('lets callers leave out what has a default', () => {
    const { input } = workflow('one', { version: '1.0.0' })
      .input(z.object({ n: z.number().default(1) }))
      .task('a', { queue: 'q' })
      .build();
    expect(input).not.toHaveProperty('required');
  });
});

describe('ref', () => {
  it.each([
    [ref.input.a.b, '${input.a.b}'],
    [ref.steps['fetch-doc'].output, "${steps['fetch-doc'].output}"],
    [ref.input.list[0], '${input.list[0]}'],
    [ref.input.in, "${input['in']}"],
    [ref.event.data["it's"], "${event.data['it\\'s']}"],
    [ref.run.id, '${run.id}'],
  ])('%#', (reference, text) => {
    expect(`${reference}`).toBe(text);
    expect(withoutRefs({ a: [reference] })).toEqual({ a: [text] });
    expect(JSON.stringify([reference])).toBe(JSON.stringify([text]));
  });
});
