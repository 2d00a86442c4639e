import type { EventKept } from '@cairn/domain-schedule';
import type { RetryDecided, WaitOpened, WaitTriggered } from '@cairn/domain-run';
import type { StoredEvent } from '@cairn/kernel';
import type { KeptLooks } from '../matching/kept-looks.js';
import type { LateDefinitions } from '../matching/late-definitions.js';
import type { SchedulingSet } from '../working-set/scheduling-set.js';
import type { DueTimes } from './due-times.js';

export interface ReactionParts {
  readonly set: SchedulingSet;
  readonly dueTimes: DueTimes;
  readonly looks: KeptLooks;
  readonly lateDefinitions: LateDefinitions;
}

/** What a newly folded event gives to do at once. */
export type Reaction = 'look' | 'tell' | 'start' | 'publish';

const none: readonly Reaction[] = [];

/** Notes what an event of the tail means for waits and times. Answers what is to be done; a lost reaction costs one sweep. */
export function react({ set, dueTimes, looks, lateDefinitions }: ReactionParts, event: StoredEvent): readonly Reaction[] {
  switch (event.type) {
    case 'WaitOpened': {
      const wait = set.waits.get((event.data as unknown as WaitOpened['data']).waitId);
      if (wait === undefined) return none; // Closed in the same batch.
      dueTimes.addWait(wait);
      looks.note(wait);
      return ['look'];
    }
    case 'EventKept': {
      const { receiptId, type, key } = event.data as unknown as EventKept['data'];
      const waits = set.waits
        .wanting(event.metadata.ns, type, key === '' ? undefined : key)
        .filter((wait) => !wait.answered.has(receiptId));
      for (const wait of waits) looks.note(wait);
      const start = lateDefinitions.noteSince(receiptId);
      return [...(waits.length > 0 ? (['look'] as const) : none), ...(start ? (['start'] as const) : none)];
    }
    case 'RetryDecided': {
      const retry = set.retries.get((event.data as unknown as RetryDecided['data']).attemptId);
      if (retry !== undefined) dueTimes.addRetry(retry);
      return none;
    }
    case 'WaitTriggered':
      return (event.data as unknown as WaitTriggered['data']).kept ? ['tell'] : none;
    case 'DefinitionApplied': {
      const applied = set.definitions.find(
        ({ ns, name, revision }) => ns === event.metadata.ns && event.stream.endsWith(`+${name}`) && revision === event.revision,
      );
      if (applied === undefined) return none;
      lateDefinitions.note(applied);
      return ['start'];
    }
    case 'ReceiptSettled':
      return ['publish'];
    default:
      return none;
  }
}
