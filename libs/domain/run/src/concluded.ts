import { accepted, nothing, type Decision } from '@cairn/kernel';
import type { Draft } from './draft.js';
import type { RunEvent } from './events.js';
import type { RunRejection } from './rejections.js';

/** The decision that a draft holds: its events, or that there was nothing to do. */
export function concluded(draft: Draft): Decision<RunEvent, RunRejection> {
  return draft.events.length === 0 ? nothing('unchanged') : accepted(draft.events);
}
