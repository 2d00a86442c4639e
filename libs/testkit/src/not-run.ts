import { appendFileSync } from 'node:fs';

/**
 * Says that the test at hand could not run here, and why: "needs nats-server; apt-get install nats-server". Called from inside the
 * test, which then returns. `npm test` names it before its last line and counts it as skipped instead of passed, so that no suite
 * passes because a server was missing. Under a bare jest it prints the same line.
 */
export function notRun(name: string, reason: string): void {
  const line = `${name}: ${reason}`.replaceAll(/\s+/g, ' ');
  const file = process.env['CAIRN_NOT_RUN_FILE'];
  if (file === undefined) console.warn(`not run: ${line}`);
  else appendFileSync(file, `${line}\n`);
}
