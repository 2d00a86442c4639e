import { parseArgs } from 'node:util';
import { huntMutant, playBatch, replayLine, type Batch } from './batch.js';
import { mutants, type MutantId } from './mutants.js';
import { simulate, type Report } from './simulate.js';

const usage = `npm run sim -- [--seeds 2000] [--from N] [--json]     plays seeds and says what broke
npm run sim -- --seed 81723                              plays one again, with its timeline
npm run sim -- --mutants [--from N]                      plants each known bug and shows which check finds it`;

const options = {
  seeds: { type: 'string', default: '2000' },
  from: { type: 'string' },
  seed: { type: 'string' },
  mutant: { type: 'string' },
  mutants: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  const from = values.from === undefined ? Math.floor(Date.now() / 1_000) * 1_000 : wholeNumber(values.from, '--from');
  if (values.seed !== undefined) return replay(wholeNumber(values.seed, '--seed'), values.mutant);
  if (values.mutants) return hunt(from);
  return batch(from, wholeNumber(values.seeds, '--seeds'), values.json);
}

async function batch(from: number, seeds: number, json: boolean): Promise<number> {
  if (!json) console.log(`seeds ${from} to ${from + seeds - 1}`);
  const began = performance.now();
  const played = await playBatch({
    from,
    seeds,
    onSeed: (report) => void (!json && report.findings.length > 0 && console.log(failure(report))),
  });
  const seconds = (performance.now() - began) / 1_000;
  console.log(json ? JSON.stringify(asJson(played, seconds)) : summary(played, seconds));
  return played.failed.length === 0 ? 0 : 1;
}

const failure = (report: Report): string =>
  `FAILED ${replayLine(report)}\n${report.findings.map(({ check, says }) => `  ${check}: ${says}`).join('\n')}`;

function summary({ seeds, failed, coverage, events, virtualMs }: Batch, seconds: number): string {
  const missing = coverage.missing();
  return [
    `${seeds} seeds in ${seconds.toFixed(1)} s: ${Math.round(seeds / seconds)} seeds/s, ${Math.round(events / seconds)} events/s, ${Math.round(virtualMs / 3_600_000)} simulated hours`,
    ...[...coverage.counts].map(([name, count]) => `  ${String(count).padStart(9)}  ${name}`),
    ...(missing.length === 0 ? [] : [`never happened: ${missing.join(', ')}`]),
    `${failed.length} failed`,
  ].join('\n');
}

const asJson = ({ from, seeds, failed, coverage, events, virtualMs }: Batch, seconds: number): object => ({
  from,
  seeds,
  seconds,
  seedsPerSecond: seeds / seconds,
  events,
  virtualMs,
  coverage: Object.fromEntries(coverage.counts),
  missing: coverage.missing(),
  failed: failed.map((report) => ({ seed: report.seed, findings: report.findings, replay: replayLine(report) })),
});

async function replay(seed: number, mutant: string | undefined): Promise<number> {
  const report = await simulate(seed, { timeline: true, ...(isMutant(mutant) ? { mutant } : {}) });
  for (const { at, actor, what } of report.timeline) console.log(`${String(at).padStart(8)} ms  ${actor.padEnd(13)} ${what}`);
  console.log(`seed ${seed}, trace ${report.traceHash}, ${report.events} events, ${report.virtualMs} virtual ms`);
  for (const { check, says } of report.findings) console.log(`${check}: ${says}`);
  return report.findings.length === 0 ? 0 : 1;
}

async function hunt(from: number): Promise<number> {
  let escaped = 0;
  for (const mutant of Object.keys(mutants) as MutantId[]) {
    const { caughtAt, seeds, by } = await huntMutant(mutant, from);
    if (caughtAt === undefined) escaped += 1;
    console.log(
      `${mutant.padEnd(5)} ${mutants[mutant].what}: ${caughtAt === undefined ? `NOT FOUND in ${seeds} seeds` : `${by} at seed ${caughtAt} (${seeds} seeds)`}`,
    );
  }
  return escaped === 0 ? 0 : 1;
}

const isMutant = (text: string | undefined): text is MutantId => text !== undefined && Object.hasOwn(mutants, text);

function wholeNumber(text: string, flag: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`${flag} wants a whole number\n${usage}`);
  process.exit(2);
}

process.exitCode = await main();
