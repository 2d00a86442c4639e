import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** This repository's root. */
export const root = resolve(import.meta.dirname, '../..');

/** The JSON report of a tree of 300 files is some megabytes. */
const REPORT_BYTES_MAX = 64 * 1_048_576;

/** Runs dependency-cruiser with the tree's own configuration: file -> names of the rules that it breaks, files without fault left out. */
export async function cruise(tree: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const script = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [script, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'libs', 'services', 'examples'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: tree, maxBuffer: REPORT_BYTES_MAX }).catch(reportOf);
  const report = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[]; totalCruised: number } };
  if (report.summary.totalCruised === 0) throw new Error('dependency-cruiser saw no file');
  const found = new Map<string, Set<string>>();
  for (const { from, rule } of report.summary.violations) found.set(from, (found.get(from) ?? new Set()).add(rule.name));
  return found;
}

/** With violations the exit code is their number, and the report is there all the same. */
function reportOf(error: unknown): { stdout: string } {
  const { stdout } = error as { stdout?: string };
  if (stdout === undefined || !stdout.startsWith('{')) throw error;
  return { stdout };
}
