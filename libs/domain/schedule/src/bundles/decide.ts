import { accepted, nothing, rejected, type Decision, type Rejection } from '@cairn/kernel';
import type { BundleImported } from './events.js';
import type { ImportState } from './evolve.js';

export type BundleRejection = Rejection<'bundle_conflict'>;

/**
 * The same bundle again changes nothing. Another one of the same run is taken only where whoever brings it has seen that it goes on from
 * the one that is there (`replaces`).
 */
export function importBundle(
  state: ImportState,
  imported: BundleImported['data'],
  replaces: string | undefined,
): Decision<BundleImported, BundleRejection> {
  if (state === imported.bundle.artifact) return nothing('unchanged');
  if (state === null || state === replaces) return accepted([{ type: 'BundleImported', version: 1, data: imported }]);
  return rejected({
    code: 'bundle_conflict',
    detail: 'Another bundle of this run was imported, and this one does not go on from it.',
    errors: [{ pointer: '', rule: 'bundle_conflict', says: 'each branch must begin with all that the imported one has' }],
  });
}
