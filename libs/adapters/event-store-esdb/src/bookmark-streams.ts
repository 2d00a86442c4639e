import type { Randomness } from '@cairn/ports';
import { AllSubscription } from './all-subscription.js';
import type { ClientHolder } from './client.js';
import type { FreshHead } from './fresh-head.js';
import { GapWatch } from './gap-watch.js';
import { BOOKMARK_PREFIX, BOOKMARK_TYPE } from './layout.js';
import { comparePositions } from './position.js';
import type { Reading } from './reading.js';

interface Parts {
  readonly holder: ClientHolder;
  readonly reading: Reading;
  readonly head: FreshHead;
  readonly randomness: Randomness;
}

/** Every bookmark's stream. EventStoreDB lists no streams, so the whole log is looked through, by the server's filter. */
export async function findBookmarkStreams({ holder, reading, head, randomness }: Parts): Promise<ReadonlySet<string>> {
  const streams = new Set<string>();
  const target = await head.read();
  if (target === undefined) return streams;
  await new Promise<void>((resolve, reject) => {
    const finish = (settle: () => void): void => {
      subscription.stop();
      settle();
    };
    const isThere = (): boolean => subscription.position !== undefined && comparePositions(subscription.position, target) >= 0;
    const look = (): void => (isThere() ? finish(resolve) : undefined);
    const subscription: AllSubscription = new AllSubscription(holder, randomness, `^${BOOKMARK_TYPE}$`, undefined, {
      event: ({ streamId }) => {
        if (streamId.startsWith(BOOKMARK_PREFIX)) streams.add(streamId);
        look();
      },
      checkpoint: look,
      live: () => gap.look(),
      failed: (fault) => finish(() => reject(fault)),
    });
    const gap = new GapWatch(holder.clock, reading, subscription, {
      target: () => (isThere() ? undefined : target),
      isWanted: ({ type }) => type === BOOKMARK_TYPE,
      moved: look,
    });
    gap.look();
  });
  return streams;
}
