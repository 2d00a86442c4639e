import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock as clock, systemRandomness as randomness } from '@cairn/system';
import { EsdbStandIn, sealed, streamNo } from '@cairn/testkit';
import { eventStoreIn, eventStoreNamed, openEventStore, shownStore, type EventStoreName } from './event-store.js';

const stream = streamNo(1);
const bytes = Buffer.from('what a handler put out');

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'cairn-opened-'));
});
afterEach(() => rmSync(data, { recursive: true }));

/** Opens the store, closes it, opens it again: what each opening of it has. */
async function twice(name: EventStoreName) {
  const first = await openEventStore(name, data, { clock, randomness });
  const events = sealed(stream, 'no_stream', ['a', 'b']);
  await first.store.append(stream, 'no_stream', events);
  const sha256 = await first.artifacts.put(bytes);
  await (await first.disposables()).put(Buffer.from('what may be lost'));
  await first.close();
  const second = await openEventStore(name, data, { clock, randomness });
  try {
    expect(await second.store.read(stream)).toEqual(events);
    expect(await second.artifacts.get(sha256)).toEqual(new Uint8Array(bytes));
    return { esdb: second.esdb, version: await second.esdb?.serverVersion(), isOne: (await second.disposables()) === second.artifacts };
  } finally {
    await second.close();
  }
}

describe('an event store that is opened by its name', () => {
  it('is a file with artifacts beside it', async () => {
    expect(await twice(eventStoreIn(data))).toEqual({ esdb: undefined, version: undefined, isOne: true });
    expect([existsSync(join(data, 'events.db')), existsSync(join(data, 'artifacts'))]).toEqual([true, true]);
    expect(await twice(eventStoreNamed(`libsql:${join(data, 'other.db')}`))).toMatchObject({ isOne: true });
  });

  it('is an EventStoreDB that has the artifacts, too, and leaves in the folder what may be lost', async () => {
    const server = await EsdbStandIn.start();
    try {
      expect(await twice(eventStoreNamed(server.url))).toMatchObject({ version: '23.10.6', isOne: false });
      expect(['events.db', 'artifacts', 'disposables'].map((name) => existsSync(join(data, name)))).toEqual([false, false, true]);
    } finally {
      await server.kill();
    }
  });

  it('is shown without its credentials', () => {
    expect(shownStore(eventStoreNamed('esdb://ana:s3cret@a:1,b:2?tls=false'))).toBe('esdb://a:1,b:2?tls=false');
    expect(shownStore(eventStoreNamed('libsql:/var/events.db'))).toBe('/var/events.db');
  });

  it.each([
    ['', /^must be libsql:<file>, esdb:\/\/… or esdb\+discover:\/\/…$/],
    ['libsql:', /^must be libsql:<file>/],
    ['postgres://ana:s3cret@host', /^must be libsql:<file>/],
    ['esdb://ana:s3cret@', /^an EventStoreDB address is esdb:\/\/\[user:password@\]host/],
    ['esdb://ana:s3cret@host:0', /a port from 1 to 65535/],
    ['esdb://ana:s3cret@host?tls=on', /^option tls .* is true or false$/],
  ])('is not %j, by a rule that shows no secret', (text, says) => {
    expect(() => eventStoreNamed(text)).toThrow(says);
    expect(() => eventStoreNamed(text)).not.toThrow(/s3cret/);
  });
});
