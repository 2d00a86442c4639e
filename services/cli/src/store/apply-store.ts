import { shownStore, type OpenedEventStore } from '@cairn/nest-kit/event-store';
import { dataFolder } from '../bus/nats-access.js';
import { openNamed, storeOf, storeRefusal } from '../bus/open-store.js';
import type { CommonOptions } from '../shell.js';

/** One setting that is, or was, not as it must be. */
export type StoreDifferences = Awaited<ReturnType<NonNullable<OpenedEventStore['esdb']>['differences']>>;

/** Mends what differs, or with `dryRun` only tells it; no differences where the store is of a kind without settings. Throws a `Refusal`. */
export async function applyStore(
  options: CommonOptions,
  env: NodeJS.ProcessEnv,
  { dryRun }: { readonly dryRun: boolean },
): Promise<{ readonly shown: string; readonly differences: StoreDifferences | undefined }> {
  const data = dataFolder(options, env);
  const name = storeOf(data, env);
  const shown = shownStore(name);
  if (name.kind === 'libsql') return { shown, differences: undefined };
  const opened = await openNamed(name, data);
  try {
    return { shown, differences: await opened.esdb?.applyRights({ dryRun }) };
  } catch (error) {
    throw storeRefusal(name, error);
  } finally {
    await opened.close();
  }
}
