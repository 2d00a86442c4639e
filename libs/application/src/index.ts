export { inParallel, PARALLEL_MAX } from './in-parallel.js';
export { readHead, transact, TRANSACT_ATTEMPTS_MAX, type StreamHead, type TransactOutcome, type Transaction } from './transact.js';
export { SWEEP_INTERVAL_MS, SweepLoop, type SweepLoopOptions } from './sweep-loop.js';
export {
  CHECKPOINT_EVENTS,
  CHECKPOINT_INTERVAL_MS,
  TAIL_RETRY_MS,
  WorkingSet,
  type WorkingSetListener,
  type WorkingSetPorts,
} from './working-set.js';
export type { WorkingSetFold } from './working-set-fold.js';
export { canonicalLines, plainOf, readCanonicalLines } from './rebuilding/canonical-lines.js';
export { compareFolds, type FoldReport } from './rebuilding/fold-report.js';
export { Folds, type OwnedFold, type Rebuildable } from './rebuilding/folds.js';
export { REBUILD_STILL_MS, rebuildBeside, type Folding, type FoldPlace, type LiveFold } from './rebuilding/rebuild-beside.js';
export { crashPoint, onCrashPoint, type InnerHop } from './crash-point.js';
export { Mailboxes, type ProcessBatch } from './mailbox.js';
export { Relay } from './relay.js';
export { BOOKMARK_INTERVAL_MS, RELAY_RETRY_MS, RELAY_WINDOW, type RelayOptions } from './relaying.js';
export { Generations } from './generations.js';
export { queuesOf, storedQueues, type StoredQueue } from './stored-queues.js';
