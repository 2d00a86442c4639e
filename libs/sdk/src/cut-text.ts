import { FAILURE_MESSAGE_MAX } from '@cairn/contracts';

/** Stands where something was left out because it was too long. */
export const CUT = '… [cut]';

/** Unicode text of at most `max` characters; longer text is cut and marked. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  return text.slice(0, max - CUT.length).toWellFormed() + CUT;
}

/** A failure's message: at most 2,048 characters. */
export const cutMessage = (text: string): string => cut(text, FAILURE_MESSAGE_MAX);

/** Unicode text that takes at most `max` bytes as JSON; longer text is cut and marked. */
export function cutToBytes(text: string, max: number): string {
  if (text.length <= max && jsonBytes(text) <= max) return text.toWellFormed();
  // JSON may write a character as six (\u0000), so the text is shortened until it fits.
  let kept = text.slice(0, max);
  while (kept !== '' && jsonBytes(kept) > max - CUT.length * 2) kept = kept.slice(0, Math.floor(kept.length * 0.75));
  return kept.toWellFormed() + CUT;
}

/** Bytes of a text as JSON in UTF-8. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}
