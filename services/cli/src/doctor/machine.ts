import { configuration, unknownVariables } from './configuration.js';
import { failed, ok, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** `engines` of package.json. */
const NODE_FLOOR = [20, 19] as const;

/** Whether this Node runs what is built for it. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [least, minorLeast] = NODE_FLOOR;
  if (major > least || (major === least && minor >= minorLeast)) return ok('node', `Node ${version}`);
  return failed('node', `Node ${version} is too old: at least ${NODE_FLOOR.join('.')}`, `install Node ${NODE_FLOOR.join('.')} or newer`);
}

/** Whether the environment means what it says; a variable that nobody reads is most often a misspelt one. */
export function checkConfiguration(patient: Patient): Finding {
  const unknown = unknownVariables(patient.env);
  const set = configuration(patient).filter(({ origin }) => origin !== 'default').length;
  if (unknown.length === 0) return ok('configuration', `${set} settings are given, the others are defaults`);
  const [first] = unknown;
  return failed(
    'configuration',
    `nobody reads ${unknown.map(({ name }) => name).join(', ')}`,
    first?.meant === undefined ? `unset ${first?.name ?? ''}` : `rename ${first.name} to ${first.meant}`,
  );
}
