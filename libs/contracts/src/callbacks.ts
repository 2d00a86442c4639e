import { isName, type Id, type Instant } from '@cairn/kernel';
import { z } from 'zod';

/** The answer to `POST /v1/callbacks/{token}`, the same however often the link is used. */
export interface CallbackAccepted {
  readonly accepted: true;
  readonly receiptId: Id;
}

/** The answer to `GET /v1/callbacks/{token}`: what the link is for. */
export interface CallbackView {
  readonly callback: string;
  readonly step: string;
  readonly workflow?: string;
  readonly purpose?: string;
  /** `early`: the run has not come so far, and what is sent is kept. */
  readonly state: 'open' | 'early' | 'used';
  /** Null: no deadline, or it is not known yet. */
  readonly until?: Instant | null;
  /** Its schema does not take nothing: a button alone cannot answer. */
  readonly data?: 'needed';
  readonly method?: 'POST';
  readonly says: string;
}

/** Body of `POST runs/{id}/waits/{w}:link`. */
export const giveLinkSchema = z.strictObject({
  callback: z.string().refine(isName, { error: 'must be the name of a callback of the wait', params: { rule: 'name' } }),
});

/** Its answer. Whoever has the token can use it: it is for the one who is to answer. */
export interface CallbackLink {
  readonly callback: string;
  readonly step: string;
  readonly token: string;
  /** Behind the address under which the server is reached. */
  readonly path: string;
  readonly until: Instant | null;
}
