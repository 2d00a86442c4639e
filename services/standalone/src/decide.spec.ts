// Goal: a decision is one of its choices, or it is none (C-DEFINE, `capabilities.md` §3.2). Method: all services on a libSQL file, the spec as handler.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { GivenServer } from './spec/given-server.js';

const definition = {
  cairn: 1,
  name: 'triage',
  version: '1.0.0',
  steps: [
    { id: 'kind', decide: { queue: 'model', choices: ['bug', 'question'] }, input: { text: '${input.text}' } },
    { id: 'fix', task: { queue: 'desk' }, when: "steps.kind.output.choice == 'bug'" },
  ],
  output: { value: '${steps.kind.output.choice}' },
};

describe('a decision', () => {
  let given: GivenServer;
  beforeAll(async () => {
    given = await GivenServer.start(definition);
  });
  afterAll(() => given.stop());

  it('asks with its choices; an answer that is none is a failure of the model, and asked again; a good one is read by what follows', async () => {
    const { runId } = (await given.call('POST', 'workflows/triage/runs', { key: 'T-1', input: { text: 'it burns' } })).json;
    const asked = await given.take('model');
    expect(asked.data).toMatchObject({ kind: 'decide', choices: ['bug', 'question'], input: { text: 'it burns' } });
    await given.answer(asked, { choice: 'fire', because: 'it burns' });
    const again = await given.take('model');
    expect(again.data).toMatchObject({ attempt: 2, previous: { bucket: 'model_output_invalid' } });
    await given.answer(again, { choice: 'question', because: 'nothing is broken' });
    const ended = await waitUntil('the run is complete', async () => {
      const result = await given.get(`runs/${String(runId)}/result`);
      return result['state'] === 'complete' ? result : undefined;
    });
    expect(ended).toMatchObject({ outcome: 'succeeded', output: 'question' });
  });

  it.each<[string, JsonObject, string]>([
    ['one choice', { decide: { queue: 'model', choices: ['bug'] } }, '/steps/0/decide/choices'],
    ['the same choice twice', { decide: { queue: 'model', choices: ['bug', 'bug'] } }, '/steps/0/decide/choices'],
    ['another kind beside', { decide: { queue: 'model', choices: ['bug', 'question'] }, task: { queue: 'model' } }, '/steps/0'],
    ['an output schema', { decide: { queue: 'model', choices: ['bug', 'question'] }, output: { type: 'object' } }, '/steps/0/output'],
  ])('with %s is refused and named', async (_, step, pointer) => {
    const body = { cairn: 1, name: 'bad', version: '1.0.0', steps: [{ id: 'kind', ...step }] };
    const { status, json } = await given.call('PUT', 'definitions/bad', body);
    expect([status, json['errors']]).toMatchObject([422, [{ pointer }]]);
  });
});
