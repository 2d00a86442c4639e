import { createRequire } from 'node:module';

/** What runs: the version of this package, which is that of the release, and the commit if whoever built the image said so. */
export function buildInfo(env: NodeJS.ProcessEnv = process.env): { readonly version: string; readonly commit: string } {
  // By name: the place of this file is another in the bundle of a program.
  const { version } = createRequire(import.meta.url)('@cairn/nest-kit/package.json') as { version: string };
  return { version, commit: /^[0-9a-f]{7,40}$/.exec(env['CAIRN_COMMIT'] ?? '')?.[0] ?? 'unknown' };
}
