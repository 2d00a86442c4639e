// Types of the example, whose files are plain JavaScript.
declare module '*/read-the-history/encoding.mjs' {
  export type Value = null | boolean | number | string | Value[] | Fields;
  export interface Fields {
    [key: string]: Value;
  }
  /** An event as `cairn run history --json` shows it. */
  export interface Recorded {
    readonly stream: string;
    readonly revision: number;
    readonly type: string;
    readonly version: number;
    readonly data: Fields;
    readonly metadata: Fields;
  }
  export function canon(value: Value): string;
  export function sha256(bytes: string | Uint8Array): string;
  export function digestOf(value: Value): string;
}

declare module '*/read-the-history/checks.mjs' {
  import type { Recorded, Value } from '*/read-the-history/encoding.mjs';
  export function id(...parts: Value[]): string;
  export function appendsOf(events: readonly Recorded[]): Recorded[][];
  export function faultsOfStream(events: readonly Recorded[], branches?: Readonly<Record<string, readonly Recorded[]>>): string[];
}

declare module '*/read-the-history/state.mjs' {
  import type { Fields, Recorded } from '*/read-the-history/encoding.mjs';
  export class State {
    static beginning(parent: State, predecessor: State, isShadow: boolean): State;
    counted: Set<string>;
    readonly slices: { readonly waits: Readonly<Record<string, Fields>> };
    readonly status: { readonly state: string; readonly sub: string | null; readonly since: string };
    readonly digest: string;
    readonly view: Fields;
    apply(event: Recorded): void;
  }
}
