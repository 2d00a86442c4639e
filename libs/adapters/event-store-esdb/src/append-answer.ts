import shared from '@eventstore/db-client/generated/shared_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { StoreFault, type AppendResult } from '@cairn/ports';
import { appendUnknown, unavailable } from './errors.js';

/** What EventStoreDB says of an append that it has not even begun: nothing is stored. */
const NOT_BEGUN: ReadonlySet<string> = new Set(['Server Is Not Ready', 'Server Is Busy', 'No leader info available in response']);

/**
 * Whether the server gave up waiting for its own commit (2 s by default). A repetition of an append that it is just committing ends
 * so, too. The same ids at the same revision may be sent again: they are found, stored, or refused for good.
 */
export function isServerTimeout(response: streams.BatchAppendResp): boolean {
  return response.getError()?.getDetails()?.getTypeName() === 'event_store.client.Timeout';
}

/** What one answer means. Only what surely is not stored is anything but a result or `append_unknown`. */
export function resultOf(response: streams.BatchAppendResp, stream: string): AppendResult {
  if (response.hasSuccess()) return { kind: 'appended', revision: Number(response.getSuccess()?.getCurrentRevision()) };
  const error = response.getError();
  const details = error?.getDetails();
  const says = error?.getMessage() ?? 'no reason given';
  switch (details?.getTypeName()) {
    case 'event_store.client.WrongExpectedVersion': {
      const wrong = details.unpack(shared.WrongExpectedVersion.deserializeBinary, 'event_store.client.WrongExpectedVersion');
      return {
        kind: 'conflict',
        actual: wrong?.hasCurrentStreamRevision() === true ? Number(wrong.getCurrentStreamRevision()) : 'no_stream',
      };
    }
    case 'event_store.client.MaximumAppendSizeExceeded': {
      const limit = details.unpack(shared.MaximumAppendSizeExceeded.deserializeBinary, 'event_store.client.MaximumAppendSizeExceeded');
      throw new StoreFault(
        'append_too_large',
        `append to ${stream}: more than the server's MaxAppendSize of ${limit?.getMaxappendsize()} bytes`,
      );
    }
    case 'event_store.client.AccessDenied':
      throw unavailable(`append to ${stream}`, Object.assign(new Error('AccessDenied'), { type: 'access-denied' }));
    case 'event_store.client.StreamDeleted':
      throw new StoreFault('stream_corrupt', `append to ${stream}: the stream was deleted for ever (tombstone)`);
    case 'event_store.client.BadRequest':
      throw unavailable(`append to ${stream}: refused as a bad request (${says})`);
    default:
      throw NOT_BEGUN.has(says) ? unavailable(`append to ${stream}: ${says}`) : appendUnknown(`append to ${stream}: ${says}`);
  }
}
