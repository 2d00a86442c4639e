/** What a client believes of a stream when it appends. Cairn uses revisions and `no_stream` alone (W-1); the others show why. */
export type Expected = number | 'no_stream' | 'any' | 'stream_exists';

/** An event as a client proposes it. */
export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** An event as it stands in the log. Commit and prepare position are equal, as they are for every append over gRPC. */
export interface LogRecord extends Proposed {
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  readonly createdMs: number;
}
