import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendAnswer } from './log.js';
import type { Expected, LogRecord, Proposed } from './records.js';

/** .NET counts time in steps of 100 ns. */
const TICKS_PER_MS = 10_000n;

/** The words of the protocol, made of the client's own generated code. */
export function eventResponse(record: LogRecord): streams.ReadResp {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(uuidOf(record.id));
  recorded.setStreamIdentifier(streamIdentifier(record.stream));
  recorded.setStreamRevision(String(record.revision));
  recorded.setCommitPosition(String(record.position));
  recorded.setPreparePosition(String(record.position));
  recorded.setData(record.data);
  recorded.setCustomMetadata(record.metadata);
  const metadata = recorded.getMetadataMap();
  metadata.set('type', record.type);
  metadata.set('content-type', record.isJson ? 'application/json' : 'application/octet-stream');
  metadata.set('created', String(BigInt(record.createdMs) * TICKS_PER_MS));
  const event = new streams.ReadResp.ReadEvent();
  event.setEvent(recorded);
  event.setCommitPosition(String(record.position));
  const response = new streams.ReadResp();
  response.setEvent(event);
  return response;
}

export function checkpointResponse(position: bigint): streams.ReadResp {
  const checkpoint = new streams.ReadResp.Checkpoint();
  checkpoint.setCommitPosition(String(position));
  checkpoint.setPreparePosition(String(position));
  return new streams.ReadResp().setCheckpoint(checkpoint);
}

export function confirmationResponse(id: string): streams.ReadResp {
  return new streams.ReadResp().setConfirmation(new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(id));
}

export function caughtUpResponse(): streams.ReadResp {
  return new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp());
}

export function notFoundResponse(stream: string): streams.ReadResp {
  return new streams.ReadResp().setStreamNotFound(new streams.ReadResp.StreamNotFound().setStreamIdentifier(streamIdentifier(stream)));
}

export function batchResponse(request: streams.BatchAppendReq, stream: string, answer: AppendAnswer): streams.BatchAppendResp {
  const response = answeredTo(request, stream);
  switch (answer.kind) {
    case 'success': {
      const success = new streams.BatchAppendResp.Success();
      success.setCurrentRevision(String(answer.revision));
      if (answer.position === undefined) success.setNoPosition(new emptyPb.Empty());
      else success.setPosition(allPosition(answer.position));
      return response.setSuccess(success);
    }
    case 'wrong_version': {
      const wrong = new shared.WrongExpectedVersion();
      if (answer.current === 'no_stream') wrong.setCurrentNoStream(new emptyPb.Empty());
      else wrong.setCurrentStreamRevision(String(answer.current));
      return response.setError(statusOf(status.ALREADY_EXISTS, 'WrongExpectedVersion', wrong));
    }
    case 'too_large': {
      const tooLarge = new shared.MaximumAppendSizeExceeded().setMaxappendsize(answer.limit);
      return response.setError(statusOf(status.INVALID_ARGUMENT, 'MaximumAppendSizeExceeded', tooLarge));
    }
    case 'deleted': {
      const deleted = new shared.StreamDeleted().setStreamIdentifier(streamIdentifier(stream));
      return response.setError(statusOf(status.NOT_FOUND, 'StreamDeleted', deleted));
    }
    case 'denied':
      return response.setError(statusOf(status.PERMISSION_DENIED, 'AccessDenied', new shared.AccessDenied()));
  }
}

/** An answer that says nothing about what was stored. */
export function vagueResponse(request: streams.BatchAppendReq, stream: string, kind: 'unknown' | 'timeout'): streams.BatchAppendResp {
  const answer = answeredTo(request, stream);
  if (kind === 'timeout') return answer.setError(statusOf(status.DEADLINE_EXCEEDED, 'Timeout', new shared.Timeout()));
  return answer.setError(statusOf(status.UNKNOWN, 'Unknown', new shared.Unknown()));
}

/** An error of a call, with what the client tells it by: `exception` most of all. */
export function rpcError(code: status, details: string, more: Readonly<Record<string, string>> = {}): ServiceError {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(more)) metadata.set(name, value);
  return Object.assign(new Error(details), { code, details, metadata });
}

export const accessDenied = (): ServiceError => rpcError(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });

export function wrongVersion(stream: string): ServiceError {
  const more = { exception: 'wrong-expected-version', 'stream-name': stream, 'expected-version': '-2', 'actual-version': '-1' };
  return rpcError(status.FAILED_PRECONDITION, `Delete failed due to WrongExpectedVersion. Stream: ${stream}`, more);
}

export function proposedOf(message: streams.BatchAppendReq.ProposedMessage | streams.AppendReq.ProposedMessage): Proposed {
  const metadata = message.getMetadataMap();
  return {
    id: uuidText(message.getId()),
    type: metadata.get('type') ?? '',
    isJson: metadata.get('content-type') === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

export function expectedOf(options: streams.BatchAppendReq.Options): Expected {
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasAny()) return 'any';
  return options.hasStreamExists() ? 'stream_exists' : Number(options.getStreamPosition());
}

export function streamNameOf(identifier: shared.StreamIdentifier | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');
}

function answeredTo(request: streams.BatchAppendReq, stream: string): streams.BatchAppendResp {
  return new streams.BatchAppendResp().setCorrelationId(request.getCorrelationId()).setStreamIdentifier(streamIdentifier(stream));
}

function statusOf(code: status, name: string, details: { serializeBinary(): Uint8Array }): statusPb.Status {
  const packed = new anyPb.Any();
  packed.pack(details.serializeBinary(), `event_store.client.${name}`);
  return new statusPb.Status()
    .setCode(code as number)
    .setMessage(name)
    .setDetails(packed);
}

function allPosition(position: bigint): shared.AllStreamPosition {
  return new shared.AllStreamPosition().setCommitPosition(String(position)).setPreparePosition(String(position));
}

function streamIdentifier(stream: string): shared.StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(new Uint8Array(Buffer.from(stream, 'utf8')));
}

function uuidOf(text: string): shared.UUID {
  return new shared.UUID().setString(text);
}

/** The server takes ids as texts or as two halves; it refuses what is none. */
function uuidText(uuid: shared.UUID | undefined): string {
  const text = uuid?.getString() ?? '';
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new RangeError(`not a UUID: ${text}`);
  return text.toLowerCase();
}
