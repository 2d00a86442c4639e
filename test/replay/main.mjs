// node test/replay/main.mjs <version>: records a run of each workload of the simulation as this release writes it. Histories of released versions
// stay as they are: what a stored event means never changes (I-4).
import { mkdirSync, writeFileSync } from 'node:fs';
import { BUNDLE_FORMAT, BundleWriter, storedEventView } from '@cairn/contracts';
import { headOf, Lineage, stateView } from '@cairn/domain-run';
import { categoryOf, parseRunStream, reviewStream } from '@cairn/kernel';
import { collectHistory } from '@cairn/oracle';
import { simulate, workloadKinds } from '@cairn/simulation';

/** Seeds that are tried: the run with the most kinds of events is kept. */
const SEEDS_MAX = 12;
/** Bytes of a recording at most: it stays in the repository for good. */
const BYTES_MAX = 40_000;
const [version] = process.argv.slice(2);
if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version))
  throw new Error('name the version whose histories these are: node test/replay/main.mjs 0.1.0');
const folder = new URL(`histories/${version}/`, import.meta.url);
mkdirSync(folder, { recursive: true });

const expected = {};
for (const workload of new Set(workloadKinds.flat())) {
  const recorded = await richest(workload);
  if (recorded === undefined) continue;
  const { history, bundle } = recorded;
  writeFileSync(new URL(`${workload.name}.jsonl`, folder), bundle);
  const lineage = new Lineage(history.runId, history.branches);
  expected[workload.name] = Object.fromEntries(
    [...history.branches.keys()].map((branch) => {
      const view = Object.entries(stateView(lineage.at(branch)));
      const told = Object.fromEntries(view.filter(([name]) => name !== 'path' && name !== 'ledger')); // The digest stands for these.
      return [branch, told];
    }),
  );
  console.log(`${workload.name}: ${[...history.branches.values()].flat().length} events, head ${headOf(history.branches)}`);
}
writeFileSync(new URL('expected.json', folder), `${JSON.stringify(expected, null, 1)}\n`);

async function richest(workload) {
  let best;
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { streams, findings } = await simulate(seed, { workloads: [workload] });
    if (findings.length > 0) continue;
    const read = (stream, from = 0, to = Infinity) => Promise.resolve((streams.get(stream) ?? []).slice(from, to + 1));
    const run = [...streams.keys()].map(parseRunStream).find((one) => one !== undefined && isOf(streams, one, workload));
    const history = run === undefined ? undefined : await collectHistory({ read }, run.runId);
    if (history === undefined) continue;
    const bundle = bundleOf(history);
    const kinds = new Set([...history.branches.values()].flat().map(({ type }) => type)).size;
    if (bundle.length <= BYTES_MAX && (best === undefined || kinds > best.kinds)) best = { history, bundle, kinds };
  }
  return best;
}

function isOf(streams, { runId }, { document }) {
  return streams.get(`run-${runId}+main`)?.[0]?.data.workflow === document.name;
}

/** As `run export` writes it. */
function bundleOf({ runId, branches, definitions, policies, inbox, reviews }) {
  const writer = new BundleWriter();
  const { ns, workflow, definition, policies: pins } = branches.get('main')[0].data;
  const pinned = (kind, events, documents) =>
    documents.flatMap(({ name, revision }) =>
      events
        .filter((event) => event.stream.endsWith(`+${name}`) && event.revision === revision)
        .map((event) => writer.line({ kind, event: storedEventView(event) })),
    );
  const all = (kind, events) => events.map((event) => writer.line({ kind, event: storedEventView(event) }));
  return [
    writer.line({ kind: 'head', bundle: BUNDLE_FORMAT, ns, run: runId, workflow }),
    ...pinned('definition', definitions, [definition]),
    ...pinned('policy', policies, pins),
    ...all(
      'receipt',
      inbox.filter(({ stream }) => categoryOf(stream) === 'receipt'),
    ),
    ...[...reviews].flatMap(([id, events]) =>
      all(
        'review',
        events.filter(({ stream }) => stream === reviewStream(id)),
      ),
    ),
    ...[...branches.values()].flatMap((events) => all('event', events)),
    writer.end(),
  ].join('');
}
