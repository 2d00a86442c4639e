import type { JsonObject } from '@cairn/kernel';
import type { BundleImported } from './events.js';

/** Artifact of the newest bundle of a run, or `null`: none was imported. */
export type ImportState = string | null;

export const noBundle: ImportState = null;

export function evolveImport(state: ImportState, event: { readonly type: string; readonly data: JsonObject }): ImportState {
  return event.type === 'BundleImported' ? (event.data as unknown as BundleImported['data']).bundle.artifact : state;
}
