import { LINE_FRAME_BYTES_MAX, type CloudEvent, type ReplyData, type TaskData } from '@cairn/contracts';
import type { Room } from '../leases/session.js';

/** Bytes of an answer's other fields, names and brackets, generously. */
const FRAME_BYTES = 512;
/** Bytes that an id takes in a list: quotes and comma. An id may have to be escaped, which doubles it at most. */
const PER_ID_BYTES = 3;

/** What one answer over the line can hold still. Tasks are measured as they will be sent, and kept so: they are written once. */
export class TaskRoom implements Room {
  private readonly texts = new Map<CloudEvent<TaskData>, string>();
  private left: number;

  /** `replies`: those of the frame; each is named in the answer, in one list or another. */
  constructor(replies: readonly CloudEvent<ReplyData>[] = []) {
    this.left = LINE_FRAME_BYTES_MAX - FRAME_BYTES;
    for (const { id } of replies) this.left -= 2 * Buffer.byteLength(id, 'utf8') + PER_ID_BYTES;
  }

  takes(task: CloudEvent<TaskData>): boolean {
    const text = JSON.stringify(task);
    const bytes = Buffer.byteLength(text, 'utf8') + 1;
    if (bytes > this.left && this.texts.size > 0) return false;
    this.left -= bytes;
    this.texts.set(task, text);
    return true;
  }

  /** Tasks of those that were taken, as the text of a list. */
  textOf(tasks: readonly CloudEvent<TaskData>[]): string {
    return `[${tasks.map((task) => this.texts.get(task) ?? JSON.stringify(task)).join(',')}]`;
  }
}
