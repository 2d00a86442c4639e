import { status, type sendUnaryData, type ServerDuplexStream, type ServerReadableStream, type ServerUnaryCall } from '@grpc/grpc-js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { StandInAppendFault, StandInFaults } from './faults.js';
import type { AppendAnswer, Log } from './log.js';
import type { Expected, Proposed } from './records.js';
import { accessDenied, batchResponse, expectedOf, proposedOf, rpcError, streamNameOf, vagueResponse, wrongVersion } from './wire.js';

interface PendingAppend {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: Proposed[];
}

/** The three calls that write. */
export class Appending {
  constructor(
    private readonly log: Log,
    private readonly faults: StandInFaults,
    /** Told after an append: index of the first new record. */
    private readonly appended: (from: number) => void,
  ) {}

  /** Many appends on one call, each answered by its correlation id, in the order in which they came. */
  readonly batchAppend = (call: ServerDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>): void => {
    const pending = new Map<string, PendingAppend>();
    let turn: Promise<void> = Promise.resolve();
    const connection = call.getPeer();
    this.faults.carriesAppends(connection);
    call.on('data', (request: streams.BatchAppendReq) => {
      if (this.faults.isStalled(connection)) return;
      turn = turn.then(async () => {
        await this.faults.passed();
        const correlation = Buffer.from(request.getCorrelationId()?.serializeBinary() ?? []).toString('hex');
        const options = request.getOptions();
        if (options !== undefined) {
          pending.set(correlation, { stream: streamNameOf(options.getStreamIdentifier()), expected: expectedOf(options), events: [] });
        }
        const append = pending.get(correlation);
        if (append === undefined || call.destroyed || call.cancelled) return;
        append.events.push(...request.getProposedMessagesList().map(proposedOf));
        if (!request.getIsFinal()) return;
        pending.delete(correlation);
        this.answer(call, request, append);
      });
      turn = turn.catch((error: unknown) => void call.emit('error', rpcError(status.INTERNAL, String(error))));
    });
    call.on('end', () => void turn.then(() => call.end()));
    call.on('error', () => undefined); // The client went away.
  };

  /** One append on a call of its own, for clients that do not know the other way. */
  readonly append = (
    call: ServerReadableStream<streams.AppendReq, streams.AppendResp>,
    callback: sendUnaryData<streams.AppendResp>,
  ): void => {
    let options: streams.AppendReq.Options | undefined;
    const events: Proposed[] = [];
    call.on('data', (request: streams.AppendReq) => {
      options ??= request.getOptions();
      const message = request.getProposedMessage();
      if (message !== undefined) events.push(proposedOf(message));
    });
    call.on('error', () => undefined);
    call.on('end', () => {
      void this.faults.passed().then(() => {
        const fault = this.faults.appends.shift();
        const stream = streamNameOf(options?.getStreamIdentifier());
        const stored = isStored(fault) ? this.store(stream, unaryExpected(options), events) : undefined;
        if (fault === undefined && stored !== undefined) answerUnary(stored, callback);
        else if (fault?.kind === 'breaks_stream') callback(rpcError(status.UNAVAILABLE, 'the call broke'));
        else if (fault?.kind === 'unknown') callback(rpcError(status.UNKNOWN, 'Unknown'));
        else if (fault?.kind === 'timeout') callback(rpcError(status.ABORTED, 'Operation timed out'));
      });
    });
  };

  /** Soft delete: `$tb` of the stream's metadata hides all of it. */
  readonly delete = (call: ServerUnaryCall<streams.DeleteReq, streams.DeleteResp>, callback: sendUnaryData<streams.DeleteResp>): void => {
    void this.faults.passed().then(() => {
      const stream = streamNameOf(call.request.getOptions()?.getStreamIdentifier());
      if (this.faults.deniesWriting(stream)) return callback(accessDenied());
      const from = this.log.records.length;
      if (!this.log.softDelete(stream)) return callback(wrongVersion(stream));
      this.appended(from);
      callback(null, new streams.DeleteResp().setNoPosition(new shared.Empty()));
    });
  };

  private answer(
    call: ServerDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>,
    request: streams.BatchAppendReq,
    { stream, expected, events }: PendingAppend,
  ): void {
    const fault = this.faults.appends.shift();
    const answer = isStored(fault) ? this.store(stream, expected, events) : undefined;
    if (fault === undefined && answer !== undefined) call.write(batchResponse(request, stream, answer));
    else if (fault?.kind === 'unknown' || fault?.kind === 'timeout') call.write(vagueResponse(request, stream, fault.kind));
    else if (fault?.kind === 'breaks_stream') call.emit('error', rpcError(status.UNAVAILABLE, 'the call broke'));
  }

  private store(stream: string, expected: Expected, events: readonly Proposed[]): AppendAnswer {
    if (this.faults.deniesWriting(stream)) return { kind: 'denied' };
    const from = this.log.records.length;
    const answer = this.log.append(stream, expected, events);
    if (this.log.records.length > from) this.appended(from);
    return answer;
  }
}

function isStored(fault: StandInAppendFault | undefined): boolean {
  return fault === undefined || fault.kind === 'answer_lost' || ('stored' in fault && fault.stored);
}

function unaryExpected(options: streams.AppendReq.Options | undefined): Expected {
  if (options === undefined || options.hasAny()) return 'any';
  if (options.hasNoStream()) return 'no_stream';
  return options.hasStreamExists() ? 'stream_exists' : Number(options.getRevision());
}

function answerUnary(answer: AppendAnswer, callback: sendUnaryData<streams.AppendResp>): void {
  switch (answer.kind) {
    case 'success': {
      const success = new streams.AppendResp.Success().setCurrentRevision(String(answer.revision));
      const { position } = answer;
      if (position === undefined) success.setNoPosition(new shared.Empty());
      else success.setPosition(new streams.AppendResp.Position().setCommitPosition(String(position)).setPreparePosition(String(position)));
      return callback(null, new streams.AppendResp().setSuccess(success));
    }
    case 'wrong_version': {
      const wrong = new streams.AppendResp.WrongExpectedVersion();
      if (answer.current === 'no_stream') wrong.setCurrentNoStream(new shared.Empty());
      else wrong.setCurrentRevision(String(answer.current));
      return callback(null, new streams.AppendResp().setWrongExpectedVersion(wrong));
    }
    case 'too_large': {
      const more = { exception: 'maximum-append-size-exceeded', 'maximum-append-size': String(answer.limit) };
      return callback(rpcError(status.INVALID_ARGUMENT, `Maximum Append Size of ${answer.limit} Exceeded.`, more));
    }
    case 'deleted':
      return callback(rpcError(status.FAILED_PRECONDITION, 'deleted', { exception: 'stream-deleted', 'stream-name': '' }));
    case 'denied':
      return callback(accessDenied());
  }
}
