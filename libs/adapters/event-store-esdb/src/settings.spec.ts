import { describe, expect, it } from '@jest/globals';
import { openEsdb } from './open.js';
import { quickClock } from './spec/quick-clock.js';
import { scene } from './spec/scene.js';
import { randomness } from './spec/system-ports.js';
import { waitUntil } from '@cairn/testkit';

const lastOf = (records: readonly { data: Uint8Array }[] | undefined): unknown => {
  const last = records?.at(-1);
  return last === undefined ? undefined : JSON.parse(Buffer.from(last.data).toString('utf8'));
};

describe('what the database is set to', () => {
  it('differs in a new one, is only shown in a dry run, and is applied once; what else stands there stays', () =>
    scene(async ({ server, esdb }) => {
      server.log.append('$settings', 'no_stream', [
        {
          id: crypto.randomUUID(),
          type: '$settings',
          isJson: true,
          data: Buffer.from('{"$systemStreamAcl":{"$r":"ops"}}'),
          metadata: Buffer.from(''),
        },
      ]);
      const wanted = await esdb.applyRights({ dryRun: true });
      expect(wanted.map(({ subject }) => subject)).toEqual(['default rights of streams', 'who may follow all events']);
      expect(await esdb.differences()).toEqual(wanted);
      expect(await esdb.applyRights({ dryRun: false })).toEqual(wanted);
      expect(await esdb.differences()).toEqual([]);
      expect(lastOf(server.log.visible('$settings'))).toEqual({
        $systemStreamAcl: { $r: 'ops' },
        $userStreamAcl: expect.objectContaining({ $d: '$admins', $mw: '$admins', $w: ['$admins', 'cairn'] }),
      });
    }));

  it('keeps one value of each bookmark: set by who may, else found by apply', () =>
    scene(async ({ server, esdb, store }) => {
      for (const value of ['1', '2', '3']) await store.writeBookmark('free', value);
      await waitUntil('only the last is kept', () => server.log.visible('bookmark-free')?.length === 1);
      server.faults.denied.push('$$bookmark-');
      for (const value of ['1', '2']) await store.writeBookmark('relay', value);
      server.faults.denied.length = 0;
      expect(server.log.visible('bookmark-relay')).toHaveLength(2);
      await esdb.applyRights({ dryRun: false });
      expect(server.log.visible('bookmark-relay')).toHaveLength(1);
      expect(await esdb.differences()).toEqual([]);
      expect([await store.readBookmark('relay'), await store.readBookmark('free')]).toEqual(['2', '3']);
    }));

  it('keeps one value of a bookmark whose maker could not say so: the next who writes it does', () =>
    scene(async ({ server, esdb, store }) => {
      server.faults.denied.push('$$bookmark-');
      for (const value of ['1', '2']) await store.writeBookmark('relay', value);
      server.faults.denied.length = 0;
      expect(server.log.visible('bookmark-relay')).toHaveLength(2);
      const next = await openEsdb({ url: server.url, clock: quickClock(1), randomness });
      await next.store.writeBookmark('relay', '3');
      await waitUntil('only the last is kept', () => server.log.visible('bookmark-relay')?.length === 1);
      await next.close();
      expect(await esdb.differences()).not.toContainEqual(expect.objectContaining({ stream: '$$bookmark-relay' }));
    }));

  it('is told to be hidden where the user may not see it, and then nothing is changed, not even what it may see', () =>
    scene(async ({ server, esdb, store }) => {
      await store.writeBookmark('relay', '1');
      const begun = server.log.records.length;
      server.faults.denied.push('$$$all', '$$bookmark-');
      const seen = (await esdb.differences()).map(({ stream, shown, is }) => [stream, shown, is]);
      expect(seen).toEqual([
        ['$settings', true, 'absent'],
        ['$$$all', false, 'not shown to this user'],
        ['$$bookmark-relay', false, 'not shown to this user'],
      ]);
      await expect(esdb.applyRights({ dryRun: false })).rejects.toEqual(
        expect.objectContaining({
          code: 'store_unavailable',
          message: expect.stringMatching(/takes? an admin.* not shown \$\$\$all, \$\$bookmark-relay; nothing was changed$/) as unknown,
        }),
      );
      expect(server.log.records).toHaveLength(begun);
      server.faults.denied.push('$all');
      expect((await esdb.differences()).map(({ subject, shown }) => [subject, shown])).toContainEqual(['length of each bookmark', false]);
    }));

  it('is told as far as it was changed, where the user may set a part', () =>
    scene(async ({ server, esdb }) => {
      server.faults.deniedToWriters.push('$$$all');
      await expect(esdb.applyRights({ dryRun: false })).rejects.toThrow(/may not set \$\$\$all; changed before that: \$settings$/);
      expect((await esdb.differences()).map(({ stream }) => stream)).toEqual(['$$$all']);
    }));

  it('includes the version that the server tells', () => scene(async ({ esdb }) => expect(await esdb.serverVersion()).toBe('23.10.6')));
});
