// A run that has ended and is recovered waits as any other does: for signals, and for what came while it was over (U-4, §4.6).
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GivenServer } from './spec/given-server.js';

const DEFINITION = {
  cairn: 1,
  name: 'recovered',
  version: '1.0.0',
  steps: [
    {
      id: 'letter',
      wait: { any: [{ signal: 'go' }, { event: { type: 'letter.came', key: '${run.key}' } }], noDeadline: { because: 'spec' } },
    },
  ],
};

describe('a wait of a run that had ended', () => {
  let server: GivenServer;
  beforeAll(async () => {
    server = await GivenServer.start(DEFINITION);
  });
  afterAll(() => server.stop());

  /** A run that was fired to its end, and goes on from where it waited. */
  async function recovered(key: string, meanwhile: () => Promise<unknown>): Promise<string> {
    const run = String((await server.call('POST', 'workflows/recovered/runs', { key })).json['runId']);
    await server.call('POST', `runs/${run}/waits/letter:fire`, { reason: 'by hand' });
    expect((await server.call('GET', `runs/${run}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
    await meanwhile();
    const request = { from: { branch: 'main', at: 'letter.wait' }, cause: 'correction', reason: 'it was not so' };
    expect(await server.call('POST', `runs/${run}/branches`, request)).toMatchObject({ status: 201, json: { branch: 'b3' } });
    return run;
  }

  it('takes a signal', async () => {
    const run = await recovered('signal', () => Promise.resolve());
    expect((await server.call('POST', `runs/${run}/signals/go`, {})).json).toMatchObject({ outcome: 'woke' });
    expect((await server.call('GET', `runs/${run}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
  });

  it('takes what came while the run was over, and was kept', async () => {
    const event = { specversion: '1.0', id: 'e1', source: '/spec', type: 'letter.came', cairnkey: 'kept', data: {} };
    const run = await recovered('kept', async () => {
      expect((await server.call('POST', 'events', event)).json).toMatchObject({ outcome: 'kept' });
    });
    expect((await server.call('GET', `runs/${run}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
  });
});
