import { status, type ServerWritableStream } from '@grpc/grpc-js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { StandInFaults } from './faults.js';
import type { Log } from './log.js';
import type { LogRecord } from './records.js';
import { accessDenied, eventResponse, notFoundResponse, rpcError, streamNameOf } from './wire.js';

export type ReadCall = ServerWritableStream<streams.ReadReq, streams.ReadResp>;

/** Resolves when more can be written, or never can be again. */
export function writable(call: ReadCall): Promise<void> {
  const signs = ['drain', 'close', 'cancelled'];
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const sign of signs) call.off(sign, settle);
      resolve();
    };
    for (const sign of signs) call.on(sign, settle);
  });
}

/** Answers what is there now, and ends. */
export async function answerRead(log: Log, faults: StandInFaults, call: ReadCall): Promise<void> {
  await faults.passed();
  if (faults.muteReads) return;
  const options = call.request.getOptions();
  const stream = options?.getStream();
  const name = stream === undefined ? '$all' : streamNameOf(stream.getStreamIdentifier());
  if (faults.denies(name)) return void call.emit('error', accessDenied());
  const records = stream === undefined ? allRecords(log, options) : streamRecords(log, stream, options);
  if (records === 'not_found') {
    call.write(notFoundResponse(name));
    return void call.end();
  }
  if (records === 'bad_position') return void call.emit('error', rpcError(status.UNKNOWN, 'Unexpected ReadAllResult: Error'));
  for (const record of records) {
    if (call.cancelled || call.destroyed) return;
    if (!call.write(eventResponse(record))) await writable(call);
    await faults.passed();
  }
  call.end();
}

function streamRecords(
  log: Log,
  options: streams.ReadReq.Options.StreamOptions,
  all: streams.ReadReq.Options | undefined,
): readonly LogRecord[] | 'not_found' {
  const visible = log.visible(streamNameOf(options.getStreamIdentifier()));
  if (visible === undefined) return 'not_found';
  const count = Number(all?.getCount() ?? 0);
  const first = visible[0]?.revision ?? 0;
  if (isBackwards(all)) {
    const from = options.hasEnd() ? Number.MAX_SAFE_INTEGER : options.hasStart() ? 0 : Number(options.getRevision());
    const until = Math.min(visible.length, Math.max(0, from - first + 1));
    return visible.slice(Math.max(0, until - count), until).toReversed();
  }
  if (options.hasEnd()) return [];
  const from = Math.max(0, (options.hasStart() ? 0 : Number(options.getRevision())) - first);
  return visible.slice(from, from + count);
}

/** Forwards a position is included, backwards it is not. */
function allRecords(log: Log, options: streams.ReadReq.Options | undefined): readonly LogRecord[] | 'bad_position' {
  const count = Number(options?.getCount() ?? 0);
  try {
    const at = startOf(log, options?.getAll());
    return isBackwards(options) ? log.records.slice(Math.max(0, at - count), at).toReversed() : log.records.slice(at, at + count);
  } catch {
    return 'bad_position';
  }
}

/** Index of the record at which a reader of `$all` begins. Throws for a position where none begins. */
export function startOf(log: Log, options: streams.ReadReq.Options.AllOptions | undefined): number {
  if (options === undefined || options.hasStart()) return 0;
  return options.hasEnd() ? log.records.length : log.indexOf(BigInt(options.getPosition()?.getCommitPosition() ?? 0));
}

function isBackwards(options: streams.ReadReq.Options | undefined): boolean {
  return options?.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
}
