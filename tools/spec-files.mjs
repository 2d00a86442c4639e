// Which spec files there are, and to which kind each belongs.
import { join, relative, sep } from 'node:path';
import { specKinds } from './kinds.mjs';
import { root, typescriptBelow } from './workspaces.mjs';

const top = ['libs', 'services', 'examples', 'test', 'tools'];

/** All `*.spec.ts`, as paths relative to the root with `/`. */
function everySpec() {
  return top
    .flatMap((folder) => typescriptBelow(join(root, folder), { sourcesOnly: false }))
    .filter((file) => file.endsWith('.spec.ts'))
    .map((file) => relative(root, file).split(sep).join('/'))
    .sort();
}

/** The spec files below some places. */
export function specFiles(places) {
  return everySpec().filter((file) => places.some((place) => file.startsWith(place)));
}

/** Spec files that no kind would run. */
export function strays() {
  const places = specKinds.flatMap((kind) => kind.places);
  return everySpec().filter((file) => !places.some((place) => file.startsWith(place)));
}
