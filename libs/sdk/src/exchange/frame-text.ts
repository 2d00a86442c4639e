import type { Id } from '@cairn/kernel';
import type { Frame } from './replica-frames.js';

/** What a frame says of its session beside its replies and offers. */
export interface FrameWords {
  readonly session: Id;
  readonly replaces?: Id | undefined;
  readonly handler: string;
  readonly alive?: string | undefined;
  /** Attempts that the session has, those of owed replies included. */
  readonly held: Iterable<Iterable<Id>>;
}

/** A frame as JSON. Texts are joined, not parsed and written again: replies and ids are JSON already. */
export function frameText({ seq, replies, offers }: Frame, { session, replaces, handler, alive, held }: FrameWords): string {
  const inThisFrame = new Set<Id>();
  let replyTexts = '';
  for (const { reply } of replies) {
    inThisFrame.add(reply.attemptId);
    replyTexts += replyTexts === '' ? reply.text : `,${reply.text}`;
  }
  let queues = '';
  for (const [queue, free] of offers) queues += `${queues === '' ? '' : ','}"${queue}":${free}`;
  const more = `${replaces === undefined ? '' : `,"replaces":"${replaces}"`}${alive === undefined ? '' : `,"alive":"${alive}"`}`;
  return (
    `{"session":"${session}","seq":${seq},"handler":${JSON.stringify(handler)},"queues":{${queues}},` +
    `"held":[${idsText(held, inThisFrame)}],"replies":[${replyTexts}]${more}}`
  );
}

function idsText(lists: Iterable<Iterable<Id>>, without: ReadonlySet<Id>): string {
  const ids = new Set<Id>();
  for (const list of lists) for (const id of list) if (!without.has(id)) ids.add(id);
  return ids.size === 0 ? '' : `"${[...ids].join('","')}"`;
}
