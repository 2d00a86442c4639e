import { BusFault } from '@cairn/ports';

/** Characters of a subject at most; the server closes a connection whose control line is longer than 4,096 (`facts.md` T-10). */
const SUBJECT_MAX = 1_024;

/** Tokens of visible ASCII without wildcards, between dots. */
const SUBJECT = /^[!-)+\-/-=?-~]+(\.[!-)+\-/-=?-~]+)*$/;

/** Where a server listens itself, and where answers go: no message of ours is published there. */
const RESERVED = /^(\$|_)/;

/** Inboxes: what a client listens to for answers, with its user's own prefix. */
const INBOX = /^_INBOX[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$/;

/** Where a dead letter lies: `cairn.<ns>.dead.<durable>`. */
const NAMESPACE = /^[a-z0-9][a-z0-9-]*$/;
const NO_NAMESPACE = 'none';

/**
 * Throws `BusFault('bad_subject')` unless it is a subject that a message of ours may have. The builder in contracts has checked it
 * already; the client library lets `*`, `>` and NUL pass, so it is checked again where it leaves the process (B-9).
 */
export function mustBeSubject(subject: string): void {
  if (subject.length > SUBJECT_MAX) throw new BusFault('bad_subject', `a subject of ${subject.length} characters, at most ${SUBJECT_MAX}`);
  if (!SUBJECT.test(subject) || RESERVED.test(subject)) {
    throw new BusFault('bad_subject', `not a subject: ${JSON.stringify(subject.slice(0, 200))}`);
  }
}

/**
 * Throws `BusFault('bad_subject')` unless it is a subject in which `*` may stand for a token and a final `>` for the rest.
 */
export function mustBeFilter(filter: string): void {
  const tokens = filter.split('.');
  const plain = tokens.map((token, n) => (token === '*' || (token === '>' && n > 0 && n === tokens.length - 1) ? 'any' : token));
  mustBeSubject(plain.join('.'));
}

/** Whether an answer may go there. A stranger's header must not make us publish a command or a fact. */
export const isInbox = (subject: string): boolean => subject.length <= SUBJECT_MAX && INBOX.test(subject);

/** The subject of the dead letters of one durable, in the namespace of the message that died. */
export function deadSubject(subject: string, durable: string): string {
  const namespace = subject.split('.')[1] ?? '';
  return `cairn.${NAMESPACE.test(namespace) ? namespace : NO_NAMESPACE}.dead.${durable}`;
}
