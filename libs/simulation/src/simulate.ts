import type { StoredEvent } from '@cairn/kernel';
import type { Coverage } from './coverage.js';
import type { Finding } from './finding.js';
import { headOfRun } from './head-of-run.js';
import { judge, runsOf } from './judge.js';
import type { MutantId } from './mutants.js';
import { observe } from './observe.js';
import type { Process } from './process/process.js';
import type { TraceLine } from './trace.js';
import { rebuildAll } from './rebuild.js';
import { putDefinition } from './world/definitions.js';
import { HandlerProcess } from './world/handler.js';
import { policiesThatChange, putPolicy } from './world/policies.js';
import { Operators } from './world/operators.js';
import { Publisher } from './world/publisher.js';
import { Reviewers } from './world/reviewers.js';
import { servicesOf } from './world/services.js';
import { World } from './world/world.js';
import type { Workload } from './world/workload.js';
import { workloadKinds } from './world/workloads.js';

export interface Report {
  readonly seed: number;
  /** Empty: every promise held. */
  readonly findings: readonly Finding[];
  readonly coverage: Coverage;
  /** Equal for equal seeds. */
  readonly traceHash: string;
  readonly timeline: readonly TraceLine[];
  readonly events: number;
  readonly virtualMs: number;
  /** What is stored in the end. */
  readonly streams: ReadonlyMap<string, readonly StoredEvent[]>;
}

export interface SimulateOptions {
  readonly mutant?: MutantId;
  readonly timeline?: boolean;
  /** These workloads instead of drawn ones. */
  readonly workloads?: readonly Workload[];
}

const RUNS_MAX = 4;
/** Seeds in which the outside applies the definitions itself. */
const DEFINITIONS_APPLIED_SHARE = 1 / 8;
/** How long a healed world may take to come to rest, in virtual time. Far more than any retry, lease or deadline of the workloads. */
const REST_BUDGET_MS = 240_000;
/** Nothing was appended for so long: two sweeps and a little. */
const REST_MS = 11_000;
const STEP_MS = 1_000;

/**
 * Plays one seed: a world drawn from it, the real services in it, faults until a drawn time, then healing, rest, and judgement
 * (`reliability.md` §4). Pure in its arguments: the same seed gives the same report, on every machine.
 */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Report> {
  const world = new World({ seed, ...options });
  const drawn = options.workloads ?? drawWorkloads(world);
  const appliesDefinitions = world.random.fork('definitions').chance(DEFINITIONS_APPLIED_SHARE);
  if (!appliesDefinitions) for (const workload of new Set(drawn.flatMap(withStarted))) await putDefinition(world, workload);
  for (const policy of new Set(drawn.flatMap(({ policies = [] }) => policies))) await putPolicy(world, policy);
  const { processes, desks, retryPolicy } = servicesOf(world);
  const publisher = new Publisher(world, appliesDefinitions);
  const handlers = [0, 1].map((i) => new HandlerProcess(world, `handler-${i + 1}`, desks[i % desks.length]!, i === 1 && world.swarm.polls));

  setClocks(world);
  world.beginFaults();
  for (const process of processes) process.start();
  for (const handler of handlers) handler.start();
  schedulePauses(world);
  scheduleRetryPolicyOutages(world, retryPolicy);
  schedulePolicyChanges(world);
  publisher.start(drawn);
  const reviewers = new Reviewers(world, publisher);
  const operators = new Operators(world, publisher);
  reviewers.start();
  operators.start();

  await world.scheduler.drain(world.swarm.faultsEndMs);
  world.heal();
  await untilAtRest(world, [publisher, reviewers, operators], processes);

  observe(world);
  const findings = judge(world, { publisher, handlers, reviewers }, trueTime(world));
  const report = {
    seed,
    coverage: world.coverage,
    traceHash: world.trace.hash(),
    timeline: world.trace.lines,
    events: world.store.allEvents().length,
    virtualMs: world.scheduler.now,
    streams: world.store.allStreams(),
  };
  return { ...report, findings: [...findings, ...(await rebuildAll(world, processes))] };
}

const trueTime = (world: World): number => world.clock.now();

function drawWorkloads(world: World): Workload[] {
  const random = world.random.fork('workload');
  return Array.from({ length: 1 + random.below(RUNS_MAX) }, () => random.pick(random.pick(workloadKinds)));
}

const withStarted = (workload: Workload): Workload[] => (workload.starts === undefined ? [workload] : [workload, workload.starts]);

/** Wall clocks are wrong by up to half the tolerated skew, either way. */
function setClocks(world: World): void {
  const random = world.random.fork('clocks');
  const { skewMs } = world.swarm;
  for (const actor of ['execution', 'execution-2', 'scheduling', 'retry-policy', 'human-review']) {
    world.scheduler.setClock(actor, Math.round((random.fraction() - 0.5) * skewMs));
  }
}

/** One of two replicas is stopped and woken: it believes what it believed when it fell asleep. */
function schedulePauses(world: World): void {
  for (const { from, to } of world.swarm.pauses) {
    world.clock.after(from, () => {
      if (!world.faulty) return;
      world.coverage.note('execution paused and woken');
      world.note('execution', `is stopped until ${to}`);
      world.scheduler.pause('execution', to);
    });
  }
}

/** Nobody judges: what failed stays `retrying`, and nothing is tried again unasked. */
function scheduleRetryPolicyOutages(world: World, retryPolicy: Process): void {
  for (const { from, to } of world.swarm.retryPolicyOutages) {
    world.clock.after(from, () => {
      if (!world.faulty) return;
      world.coverage.note('retry-policy stopped');
      retryPolicy.stopFor(to - from);
    });
  }
}

/** Policies that have a second version get it. A run goes by what it pinned (`history.md` §2). */
function schedulePolicyChanges(world: World): void {
  for (const ms of world.swarm.policyChanges) {
    world.clock.after(ms, () => {
      for (const name of policiesThatChange) {
        putPolicy(world, name, 2).then(
          ({ kind }) => void (kind === 'appended' && world.coverage.note('policy changed')),
          () => undefined, // The store refused: it stays as it is.
        );
      }
    });
  }
}

async function untilAtRest(world: World, outside: readonly { readonly isDone: boolean }[], processes: readonly Process[]): Promise<void> {
  const end = world.scheduler.now + REST_BUDGET_MS;
  let events = -1;
  let since = world.scheduler.now;
  while (world.scheduler.now < end) {
    await world.scheduler.drain(world.scheduler.now + STEP_MS);
    const now = world.store.allEvents().length;
    // A process that is still down has something to do when it comes back.
    if (now !== events || !processes.every(({ isUp }) => isUp)) {
      events = now;
      since = world.scheduler.now;
    } else if (outside.every(({ isDone }) => isDone) && world.scheduler.now - since >= REST_MS && nothingCanCome(world)) return;
  }
}

/** Every run has ended, is paused, or waits for people with nothing left to start: no timer can still move one. */
function nothingCanCome(world: World): boolean {
  for (const [runId, branches] of runsOf(world.store.allStreams())) {
    const head = headOfRun(runId, branches);
    if (head === undefined) return false;
    const { status, path, end } = head;
    if (end !== null || path.paused) continue;
    if ((status.state !== 'blocked' && status.state !== 'escalated') || path.attempts.size > 0) return false;
    for (const { settled, decision } of path.retries.values())
      if (!settled && decision !== 'block' && decision !== 'escalate') return false;
  }
  return true;
}
