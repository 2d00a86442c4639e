import { describe, expect, it } from '@jest/globals';
import { compileDefinition, planOf } from './index.js';

const document = {
  cairn: 1,
  name: 'vendor-onboarding',
  version: '3.2.0',
  class: 'long',
  goal: 'Vendor ${input.vendorId} may be paid',
  input: { type: 'object', properties: { vendorId: { type: 'string' } }, required: ['vendorId'] },
  on: [{ event: 'procurement.vendor.requested', key: '${event.data.vendorId}' }],
  steps: [
    { id: 'screen', task: { queue: 'screening' }, input: { id: '${input.vendorId}' }, retry: 'http-default@4' },
    {
      id: 'documents',
      after: [],
      wait: {
        any: [{ event: { type: 'dms.document.received', key: '${input.vendorId}', where: "event.data.kind == 'W8'" } }, { signal: 'go' }],
        deadline: '14d',
        staleAfter: 'P7D',
        onDeadline: { step: 'chase' },
      },
    },
    { id: 'chase', side: true, task: { queue: 'desk' } },
    { id: 'file-away', after: ['screen', 'documents'], when: 'steps.screen.output.risk >= 0.4', task: { queue: 'files' }, checkpoint: 'filed' },
    { id: 'tell', emit: { type: 'vendor.done', data: { risk: '${steps.screen.output.risk}' } } },
  ],
  output: { value: '${steps.screen.output}' },
};

describe('compileDefinition', () => {
  it('gives canonical form and plan', () => {
    const compiled = compileDefinition(document);
    expect(compiled).toMatchObject({ ok: true });
    if (!compiled.ok) return;
    console.log(compiled.canonical, compiled.warnings);
    const plan = planOf(JSON.parse(compiled.canonical));
    console.log(plan.steps);
  });
});
