import { describe, expect, it } from '@jest/globals';
import { isBelowFloor } from './connect.js';
import { connectTo } from './spec/nats-bus.js';

describe('connecting', () => {
  it.each(['2.9.10', '2.10.27', '2.12.6', '1.99.99', 'x'])('refuses version %s', (version) => expect(isBelowFloor(version)).toBe(true));
  it.each(['2.12.7', '2.13.0-beta.1', '2.15.1', '3.0.0'])('takes version %s', (version) => expect(isBelowFloor(version)).toBe(false));

  it('says that nobody answers, as a fault', async () => {
    const refused = expect(connectTo('nats://me:secret@127.0.0.1:1', 'spec')).rejects;
    await refused.toMatchObject({ code: 'bus_unavailable', message: 'no nats-server answers at nats://127.0.0.1:1' }); // Without the password.
  });
});
