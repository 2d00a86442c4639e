import { openEventStore, shownStore, type EventStoreName, type OpenedEventStore } from '@cairn/nest-kit/event-store';
import { systemClock, systemRandomness } from '@cairn/system';
import { storeRefusal } from '../bus/open-store.js';

/** One setting that is, or was, not as it must be. */
export type StoreDifferences = Awaited<ReturnType<NonNullable<OpenedEventStore['esdb']>['differences']>>;

/** Mends what differs, or with `dryRun` only tells it; no differences where the store is of a kind without settings. Throws a `Refusal`. */
export async function applyStore(
  name: EventStoreName,
  data: string,
  options: { readonly dryRun: boolean },
): Promise<{ readonly shown: string; readonly differences: StoreDifferences | undefined }> {
  const shown = shownStore(name);
  if (name.kind === 'libsql') return { shown, differences: undefined };
  try {
    const opened = await openEventStore(name, data, { clock: systemClock, randomness: systemRandomness });
    try {
      return { shown, differences: await opened.esdb?.applyRights(options) };
    } finally {
      await opened.close();
    }
  } catch (error) {
    throw storeRefusal(name, error);
  }
}
