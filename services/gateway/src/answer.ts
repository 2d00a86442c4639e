/** What a door writes: a status and a JSON body. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
/** It is there now. */
export const created = (body: unknown): Answer => ({ status: 201, body });
/** Taken on; what becomes of it can be followed. */
export const accepted = (body: unknown): Answer => ({ status: 202, body });
