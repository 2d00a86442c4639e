import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { Appending } from './appending.js';
import { StandInFaults } from './faults.js';
import { Log } from './log.js';
import { answerRead, type ReadCall } from './reading.js';
import { StandInSubscription } from './subscription.js';
import { rpcError } from './wire.js';

export interface EsdbStandInOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Whether it offers many appends on one call, as every server since 21.10 does. Default: yes. */
  readonly batchAppend?: boolean;
  /** EventStoreDB's `MaxAppendSize`; default 1 MiB. */
  readonly appendBytesMax?: number;
}

/** EventStoreDB's own default. */
const APPEND_BYTES_MAX = 1_048_576;
const VERSION = '23.10.6';

/**
 * A stand-in of EventStoreDB's protocol for specs: its calls, its rule of appends, its positions, filters, checkpoints and dropped
 * subscriptions, on a port of this machine, in memory. It shows what a client makes of the protocol; it is not a store, knows no
 * users, and what is shown on it alone is not shown on EventStoreDB.
 */
export class EsdbStandIn {
  readonly faults = new StandInFaults();
  readonly log: Log;
  private readonly subscriptions = new Set<StandInSubscription>();
  private server: Server | undefined;
  private port = 0;

  private constructor(private readonly options: EsdbStandInOptions) {
    this.log = new Log(options.appendBytesMax ?? APPEND_BYTES_MAX);
  }

  static async start(options: EsdbStandInOptions = {}): Promise<EsdbStandIn> {
    const standIn = new EsdbStandIn(options);
    await standIn.listen(options.port ?? 0);
    return standIn;
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  /** How many clients follow `$all` now. */
  get subscribers(): number {
    return this.subscriptions.size;
  }

  /** Ends without ceremony: connections are cut, what was not stored is lost, what was stored stays. */
  async kill(): Promise<void> {
    this.server?.forceShutdown();
    this.server = undefined;
    this.faults.thaw();
    for (const subscription of this.subscriptions) subscription.drop('killed');
    this.subscriptions.clear();
  }

  /** Serves again, on the same port, with everything that was stored. */
  async startAgain(): Promise<void> {
    this.log.restarted();
    await this.listen(this.port);
  }

  /** Drops every subscription as a server does whose subscriber does not keep up. */
  dropSubscriptions(): void {
    for (const subscription of this.subscriptions) {
      subscription.drop('Operation timed out: Consumer too slow to handle event while live. Client resubscription required.');
    }
  }

  private async listen(port: number): Promise<void> {
    const appending = new Appending(this.log, this.faults, (from) => {
      for (const subscription of this.subscriptions) subscription.appended(from);
    });
    const server = new Server();
    server.addService(featuresGrpc.ServerFeaturesService, { getSupportedMethods: this.getSupportedMethods });
    server.addService(streamsGrpc.StreamsService, {
      read: this.read,
      append: appending.append,
      batchAppend: appending.batchAppend,
      delete: appending.delete,
      tombstone: (_call: unknown, callback: sendUnaryData<never>) => callback(rpcError(status.UNIMPLEMENTED, 'tombstone')),
    });
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    this.server = server;
  }

  private readonly read = (call: ReadCall): void => {
    call.on('error', () => undefined); // The client went away.
    if (call.request.getOptions()?.hasSubscription() !== true) return void answerRead(this.log, this.faults, call);
    const subscription = new StandInSubscription(this.log, this.faults, call);
    this.subscriptions.add(subscription);
    void subscription.run().finally(() => this.subscriptions.delete(subscription));
  };

  private readonly getSupportedMethods = (
    _call: ServerUnaryCall<shared.Empty, features.SupportedMethods>,
    callback: sendUnaryData<features.SupportedMethods>,
  ): void => {
    const names = ['read', 'append', 'delete', ...(this.options.batchAppend === false ? [] : ['batchappend'])];
    const methods = names.map((name) =>
      new features.SupportedMethod().setServiceName('event_store.client.streams.streams').setMethodName(name),
    );
    const answer = new features.SupportedMethods().setMethodsList(methods).setEventStoreServerVersion(VERSION);
    void this.faults.passed().then(() => callback(null, answer));
  };
}
