import { readFileSync } from 'node:fs';

/** What runs: the version of this package, which is that of the release, and the commit if whoever built the image said so. */
export function buildInfo(env: NodeJS.ProcessEnv = process.env): { readonly version: string; readonly commit: string } {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return { version, commit: /^[0-9a-f]{7,40}$/.exec(env['CAIRN_COMMIT'] ?? '')?.[0] ?? 'unknown' };
}
