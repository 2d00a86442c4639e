import {
  controlType,
  OPEN_BRANCH,
  RESCHEDULE_WAIT,
  subjects,
  type CloudEvent,
  type OpenBranchRequest,
  type Receipt,
} from '@cairn/contracts';
import { compileDefinition, planOf, type Plan } from '@cairn/domain-definition';
import { forkAt, Lineage, planBranch, type BranchRequest, type RecordedRunEvent, type RunState } from '@cairn/domain-run';
import { invariant, partitionOf, type Id, type Json, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { ASK_DEADLINE_MS, type Ids } from '@cairn/ports';
import { seededIds, type Pcg32 } from '@cairn/simulated';
import { headOfRun } from '../head-of-run.js';
import { NS, SOURCE } from './names.js';
import type { PlannedRun, Publisher } from './publisher.js';
import type { World } from './world.js';

/** How far behind the beginning of the world somebody meddles with a run, at most. */
const WITHIN_MS = 25_000;
/** A wait is fired before what it waits for may have come by itself. */
const FIRED_WITHIN_MS = 6_000;
/** Times that a request is sent before it counts as lost: a receipt makes them one. */
const SENDS_MAX = 40;

type Streams = ReadonlyMap<string, readonly StoredEvent[]>;

/**
 * People who open branches from anywhere, also of runs that have ended, two at once, and some that act on nothing; who put off deadlines,
 * fire waits by hand, and undo effects. What they do leaves a run's outcome as it was: who goes back without a change comes to the same end.
 */
export class Operators {
  private readonly random: Pcg32;
  private readonly verdicts: Pcg32;
  private readonly ids: Ids;
  private busy = 0;

  constructor(
    private readonly world: World,
    private readonly publisher: Publisher,
  ) {
    this.random = world.random.fork('operators');
    this.verdicts = world.random.fork('operators/verdicts');
    this.ids = seededIds(world.random.fork('operators/ids'));
  }

  /** Whether everything was asked, and answered. */
  get isDone(): boolean {
    return this.busy === 0;
  }

  start(): void {
    const { branched, shadowed, rescheduled, fired, undone } = this.world.swarm;
    for (const planned of this.publisher.runs) {
      const { meddled, fires, undoes } = planned.workload;
      const later = (chance: number, task: () => Promise<void>): void => {
        if (this.random.chance(chance)) this.go(this.random.below(WITHIN_MS), task);
      };
      if (meddled === true) {
        later(branched, () => this.openBranch(planned, false));
        later(branched, () => this.openBranch(planned, false));
        later(shadowed, () => this.openBranch(planned, true));
        later(rescheduled, () => this.reschedule(planned));
      }
      if (fires !== undefined && this.random.chance(fired)) this.go(this.random.below(FIRED_WITHIN_MS), () => this.fire(planned, fires));
      if (undoes !== undefined) later(undone, () => this.undo(planned, undoes));
    }
  }

  /** Goes back to some point of some branch, with what the plan wants to be chosen. */
  private async openBranch(planned: PlannedRun, shadow: boolean): Promise<void> {
    const branches = this.branchesOf(planned.runId);
    const head = headOfRun(planned.runId, branches);
    if (head === undefined || planned.cancelled === true) return; // Whoever ended it for good is not overruled here.
    const names = [...branches.keys()].filter((name) => (branches.get(name)?.length ?? 0) > 0);
    const anywhere = this.random.pick(names);
    const any = { branch: anywhere, at: this.random.below(branches.get(anywhere)?.length ?? 1) };
    const from = (shadow ? undefined : this.beforeApproval(branches, head)) ?? any;
    const cause = shadow ? 'what_if' : this.random.pick(['correction', 'override'] as const);
    const asked: OpenBranchRequest = {
      from,
      cause,
      reason: 'seen anew',
      expectHead: `${head.branch}@${head.revision}`,
      ...(shadow ? { shadow } : {}),
    };
    const request = { ...asked, ...this.chosen(planned, branches, head, asked) };
    const outcomes = await Promise.all(
      Array.from({ length: !shadow && this.random.chance(0.3) ? 2 : 1 }, () =>
        this.control(planned, OPEN_BRANCH, request as unknown as Json),
      ),
    );
    const opened = outcomes.filter((outcome) => outcome === 'branched').length;
    if (opened > 0) this.world.coverage.note(shadow ? 'shadow branch' : 'branch opened by a person');
    if (opened > 0 && head.end !== null && !shadow) this.world.coverage.note('ended run recovered');
    // It had ended while it was paused, and is so still: who recovers it lets it go on.
    if (opened > 0 && !shadow && head.end !== null && head.path.paused) await this.control(planned, 'unpause', {});
    if (outcomes.length > 1 && opened === 1) this.world.coverage.note('branch race lost');
    if (shadow && opened > 0 && this.random.chance(0.8)) await this.abandonNewest(planned);
  }

  /** Where people have approved something on the head: often from before they were asked, which is where an approval may be taken along. */
  private beforeApproval(branches: Streams, { branch }: RunState): OpenBranchRequest['from'] | undefined {
    const events = branches.get(branch) ?? [];
    const isApproval = ({ type, data }: StoredEvent): boolean => type === 'VerdictApplied' && data['then'] === 'continue';
    const asked = events.findIndex(({ type }) => type === 'ReviewRequested');
    if (asked < 1 || !events.some(isApproval) || !this.verdicts.chance(0.7)) return undefined;
    return { branch, at: this.verdicts.below(asked) };
  }

  /** What has happened is taken over: nothing is booked twice by who only looks again. Most take approvals along as well. */
  private chosen(
    { runId, workload }: PlannedRun,
    stored: Streams,
    head: RunState,
    { from, cause, reason, shadow }: OpenBranchRequest,
  ): Partial<OpenBranchRequest> {
    const branches = stored as unknown as ReadonlyMap<string, readonly RecordedRunEvent[]>;
    const fork = forkAt(branches, { branch: from.branch, at: String(from.at) });
    if (!('point' in fork) || shadow === true) return {};
    const parent = new Lineage(runId, branches).at(fork.point.branch, fork.point.revision);
    const request: BranchRequest = { from: { branch: from.branch, at: String(from.at) }, cause, reason };
    const facts = { plan: planFor(workload.document), fork: fork.point, parent, head };
    const { effects, received } = planBranch(facts, request);
    const reused = effects.flatMap(({ key, choices }) => (choices.includes('reuse') ? [[key, 'reuse'] as const] : []));
    const verdicts = received.flatMap(({ id }) => (id.startsWith('verdict:') ? [[id, 'carry'] as const] : []));
    const carried = { received: Object.fromEntries(verdicts) };
    const takes = verdicts.length > 0 && this.verdicts.chance(0.7) && planBranch(facts, { ...request, ...carried }).problems.length === 0;
    return { ...(reused.length === 0 ? {} : { effects: Object.fromEntries(reused) }), ...(takes ? carried : {}) };
  }

  private async abandonNewest({ runId }: PlannedRun): Promise<void> {
    const shadows = [...this.branchesOf(runId)].filter(([, [opened]]) => opened?.data['shadow'] === true);
    const branch = shadows.at(-1)?.[0];
    if (branch === undefined) return;
    const id = this.ids.next();
    const data = { branch, reason: 'not this' };
    const body = { id, ns: NS, runId, type: 'AbandonBranch', actor: 'user:sim', causationId: id, data } as unknown as JsonObject;
    await this.world.bus
      .ask({ subject: subjects.executionCommand(NS, partitionOf(runId), 'AbandonBranch'), id, body }, ASK_DEADLINE_MS)
      .catch(
        () => undefined, // It goes on, and harms nobody.
      );
  }

  /** A deadline is put off, as long as one is to come. */
  private async reschedule(planned: PlannedRun): Promise<void> {
    const head = headOfRun(planned.runId, this.branchesOf(planned.runId));
    const open = [...(head?.path.waits.entries() ?? [])]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .find(([, wait]) => wait.open && wait.opened.deadline !== null);
    if (open === undefined) return;
    const deadline = Date.parse(open[1].opened.deadline ?? '') - this.world.clock.now() > 60_000 ? '2h' : '9s';
    const outcome = await this.control(planned, RESCHEDULE_WAIT, { wait: open[0], deadline, reason: 'they are late' });
    if (outcome === 'attached') this.world.coverage.note('wait rescheduled');
  }

  /** The wait is taken to have ended, by what would have come. */
  private async fire(planned: PlannedRun, { step, output }: { readonly step: string; readonly output: Json }): Promise<void> {
    const head = headOfRun(planned.runId, this.branchesOf(planned.runId));
    if (head === undefined || ![...head.path.waits.values()].some((wait) => wait.open && wait.step === step)) return;
    const request = {
      from: { branch: head.branch, at: head.revision },
      cause: 'override',
      reason: 'it came by post',
      changes: [{ op: 'add', path: `/outputs/${step}`, value: output }],
      expectHead: `${head.branch}@${head.revision}`,
    };
    if ((await this.control(planned, OPEN_BRANCH, request as unknown as Json)) === 'branched') this.world.coverage.note('wait fired');
  }

  private async undo(planned: PlannedRun, key: string): Promise<void> {
    const named = key.replace('${run.key}', planned.key);
    await this.control(planned, 'effect.compensate', { key: named, reason: 'a mistake' });
  }

  /** Asks by an event until its receipt says what became of it. */
  private async control({ runId, key }: PlannedRun, verb: Parameters<typeof controlType>[0], data: Json): Promise<string> {
    const subject =
      verb === OPEN_BRANCH
        ? subjects.branchOpen(NS, runId)
        : verb === RESCHEDULE_WAIT
          ? subjects.waitReschedule(NS, runId)
          : verb === 'unpause'
            ? subjects.runControl(NS, runId, verb)
            : subjects.effectControl(NS, runId, 'effect.compensate');
    const event: CloudEvent = {
      specversion: '1.0',
      id: `${verb}/${key}/${this.ids.next()}`,
      source: SOURCE,
      type: controlType(verb),
      datacontenttype: 'application/json',
      cairnrun: runId,
      data,
    };
    for (let n = 0; n < SENDS_MAX; n++) {
      const body = event as unknown as JsonObject;
      const answer = await this.world.bus.ask({ subject, id: this.ids.next(), body }, ASK_DEADLINE_MS).catch(() => undefined);
      const receipt = answer as unknown as Receipt | undefined;
      if (receipt?.receiptId !== undefined && receipt.outcome !== 'pending') {
        this.publisher.receipts.push(receipt.receiptId);
        this.world.note('operator', `${verb} of ${key} is ${receipt.outcome}`);
        return receipt.outcome;
      }
      await new Promise<void>((resolve) => this.world.clock.after(500 + this.random.below(1_000), resolve));
    }
    this.world.bugs.push(`${verb} of ${key} was never answered`);
    return 'pending';
  }

  private branchesOf(runId: Id): Map<string, readonly StoredEvent[]> {
    const prefix = `run-${runId}+`;
    const found = [...this.world.store.allStreams()].flatMap(([stream, events]) =>
      stream.startsWith(prefix) ? [[stream.slice(prefix.length), events] as const] : [],
    );
    return new Map(found);
  }

  private go(afterMs: number, task: () => Promise<void>): void {
    this.busy += 1;
    this.world.clock.after(afterMs, () => {
      task()
        .catch((error: unknown) => this.world.bugs.push(`operators: ${error instanceof Error ? (error.stack ?? '') : String(error)}`))
        .finally(() => (this.busy -= 1));
    });
  }
}

const plans = new Map<string, Plan>();

function planFor(document: PlannedRun['workload']['document']): Plan {
  const known = plans.get(document.name);
  if (known !== undefined) return known;
  const compiled = compileDefinition(document);
  invariant(compiled.ok, `workload ${document.name} is no definition`);
  const plan = planOf(compiled.definition);
  plans.set(document.name, plan);
  return plan;
}
