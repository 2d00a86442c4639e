import { BEAT_MS, BEATS_MISSED_MAX } from '@cairn/contracts';

/** A session that has missed so many beats is dead. */
export const SESSION_PATIENCE_MS = BEAT_MS * BEATS_MISSED_MAX;
