import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ExpectedRevision } from '@cairn/kernel';
import type { Client } from './client.js';
import type { ProposedEvent } from './event-codec.js';

export interface ProposedAppend {
  readonly correlation: string;
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly ProposedEvent[];
}

/** Told of one append at most once. An error of the call is told to every append that is under way on it. */
export interface AppendListener {
  readonly answered: (response: streams.BatchAppendResp) => void;
  readonly broken: (error: unknown) => void;
}

type Call = ReturnType<InstanceType<typeof streamsGrpc.StreamsClient>['batchAppend']>;

/** One call of the server's, and who waits for answers on it. */
interface OpenCall {
  readonly call: Call;
  readonly pending: Map<string, AppendListener>;
}

/** One call that carries all appends, each answered by its correlation id. It breaks for all at once; then the next append opens another. */
export class AppendCall {
  private opening: Promise<OpenCall> | undefined;

  constructor(private readonly client: Client) {}

  /** Hands an append over; what it resolves with says that nobody waits for the answer any more. Rejects if it surely was not sent. */
  async send(append: ProposedAppend, listener: AppendListener): Promise<() => void> {
    const { call, pending } = await (this.opening ??= this.open());
    if (call.destroyed || call.writableEnded) throw new Error('No connection established: the call has just ended');
    pending.set(append.correlation, listener);
    call.write(requestOf(append)); // How much is under way is bounded by who hands over.
    return () => pending.delete(append.correlation);
  }

  private open(): Promise<OpenCall> {
    const broken = ({ pending }: OpenCall, error: unknown): void => {
      if (this.opening === opening) this.opening = undefined; // The client tells the end of a call after its error: another may be open by then.
      const listeners = [...pending.values()];
      pending.clear();
      for (const listener of listeners) listener.broken(error);
    };
    const opening = this.begin(broken);
    opening.catch(() => {
      if (this.opening === opening) this.opening = undefined;
    });
    return opening;
  }

  private async begin(broken: (open: OpenCall, error: unknown) => void): Promise<OpenCall> {
    // A deadline in the request would be compared with the server's wall clock: ours are kept here.
    const call = await this.client.inside.GRPCStreamCreator(streamsGrpc.StreamsClient, 'batchAppend', (client) =>
      client.batchAppend(...this.client.inside.callArguments({}, { deadline: Infinity })),
    )();
    const open: OpenCall = { call, pending: new Map() };
    call.on('data', (response: streams.BatchAppendResp) => answered(open, response));
    call.on('error', (error: unknown) => broken(open, error));
    call.on('end', () => broken(open, new Error('the server has ended the call')));
    return open;
  }
}

function answered({ pending }: OpenCall, response: streams.BatchAppendResp): void {
  const correlation = correlationOf(response.getCorrelationId());
  const listener = pending.get(correlation);
  pending.delete(correlation);
  listener?.answered(response);
}

function requestOf({ correlation, stream, expected, events }: ProposedAppend): streams.BatchAppendReq {
  const options = new streams.BatchAppendReq.Options();
  options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(new Uint8Array(Buffer.from(stream, 'utf8'))));
  if (expected === 'no_stream') options.setNoStream(new shared.Empty());
  else options.setStreamPosition(String(expected));
  const request = new streams.BatchAppendReq();
  request.setCorrelationId(new shared.UUID().setString(correlation));
  request.setOptions(options);
  request.setIsFinal(true);
  for (const event of events) request.addProposedMessages(messageOf(event));
  return request;
}

function messageOf({ id, type, isJson, data, metadata }: ProposedEvent): streams.BatchAppendReq.ProposedMessage {
  const message = new streams.BatchAppendReq.ProposedMessage();
  message.setId(new shared.UUID().setString(id));
  message.getMetadataMap().set('type', type);
  message.getMetadataMap().set('content-type', isJson ? 'application/json' : 'application/octet-stream');
  message.setData(data);
  message.setCustomMetadata(metadata);
  return message;
}

/** Servers answer with the halves of a UUID or with its text. */
function correlationOf(uuid: shared.UUID | undefined): string {
  const halves = uuid?.getStructured();
  if (halves === undefined) return uuid?.getString() ?? '';
  const hex = [halves.getMostSignificantBits(), halves.getLeastSignificantBits()]
    .map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0'))
    .join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
