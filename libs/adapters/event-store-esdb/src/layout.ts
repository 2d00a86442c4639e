import { categoryOf } from '@cairn/kernel';

/** What this store keeps beside the events of the port, as part of the storage format (`docs/reference/history.md`). */
export const BOOKMARK_TYPE = 'Bookmark';
export const BLOB_TYPE = 'BlobChunk';

const BOOKMARK_CATEGORY = 'bookmark';
const BLOB_CATEGORY = 'blob';

/** Any text is a name; EventStoreDB takes any text as the name of a stream that does not begin with `$`. */
export const bookmarkStream = (name: string): string => `${BOOKMARK_CATEGORY}-${name}`;
export const blobStream = (sha256: string): string => `${BLOB_CATEGORY}-${sha256}`;
export const BOOKMARK_PREFIX = `${BOOKMARK_CATEGORY}-`;

/** Whether a record is an event for readers of the port: not EventStoreDB's own, no bookmark and no blob. */
export function isEventRecord({ streamId, type }: { readonly streamId: string; readonly type: string }): boolean {
  if (type.startsWith('$') || streamId.startsWith('$')) return false;
  const category = categoryOf(streamId);
  return category !== BOOKMARK_CATEGORY && category !== BLOB_CATEGORY;
}

/** The server's filter for a tail. Types are compared again here: a line break at the end of a type would match `$`. */
export function typeFilter(types: readonly string[] | 'all'): string {
  if (types === 'all') return `^(?!\\$|${BOOKMARK_TYPE}$|${BLOB_TYPE}$)`;
  return `^(?:${types.map((type) => type.replaceAll(/[^A-Za-z0-9_]/g, '\\$&')).join('|')})$`;
}
