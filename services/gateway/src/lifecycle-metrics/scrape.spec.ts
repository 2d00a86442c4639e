import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openRig, type Rig } from '../spec/rig.js';

describe('GET /metrics', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await openRig();
  });
  afterEach(async () => {
    rig.store.setOutage(false);
    await rig.close();
  });

  it('is refused while the history has never been folded, and shown for good once it has', async () => {
    rig.store.setOutage(true);
    expect(await rig.send({ path: '/metrics', token: null })).toMatchObject({ status: 503, text: 'the history is still being folded\n' });
    rig.store.setOutage(false);
    expect((await rig.send({ path: '/metrics', token: null })).status).toBe(200);
    rig.store.setOutage(true);
    expect((await rig.send({ path: '/metrics', token: null })).status).toBe(200); // What is known is shown, trouble or not.
  });
});
