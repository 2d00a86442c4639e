// `npm run demo`: plays the story of this example with real processes, kills them, and checks every claim it makes.
// It imports nothing of the engine: it drives the command line and HTTP, as anybody could.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cairn, type LedgerLine, type Receipt, type ReviewView, type RunView } from './demo/cairn.js';
import { bucketOf, eventOf, isInbound, isJustified, keepsItsTime, startsOf, stepsOf } from './demo/history.js';
import { askPerson, closeTerminal, lowered, type Decision } from './demo/person.js';
import {
  answers,
  startCairn,
  startHandlers,
  startOutside,
  startServer as startEmbedded,
  startStack,
  type Outside,
  type Server,
  type Spawned,
  type World,
} from './demo/processes.js';
import { allHold, claim, overheard, paint, say, section, until } from './demo/stage.js';

const onStack = process.argv.includes('--stack');
const eventStore = optionOf('--event-store');
if (eventStore !== undefined && !onStack) {
  console.error('--event-store needs --stack: `cairn dev` keeps its events in its data folder');
  process.exit(2);
}
/** The person at this terminal decides the review, instead of the story. */
const interactive = process.argv.includes('--interactive');
const startServer = onStack ? startStack : startEmbedded;
/** Everything together; a demo that hangs is a demo that failed. It takes a tenth of that, more on a machine that is busy with others. */
const DEMO_MS_MAX = 240_000;
const VENDOR = 'V-1042';
const WRONG_VENDOR = 'V-1024';

const keep = process.argv.includes('--keep');
const folder = mkdtempSync(join(tmpdir(), 'cairn-demo-'));
const world: World = {
  data: join(folder, 'data'),
  filed: join(folder, 'filed'),
  log: join(folder, 'server.log'),
  ledger: join(folder, 'payments.jsonl'),
  // An EventStoreDB remembers earlier plays.
  ns: eventStore === undefined ? 'default' : `demo${randomBytes(4).toString('hex')}`,
  ...(eventStore === undefined ? {} : { eventStore }),
};
const cairn = new Cairn(world);
const running = new Set<Pick<Server, 'kill9'>>();

const watch = (): NodeJS.Timeout => setTimeout(() => void fail(new Error(`not done after ${DEMO_MS_MAX / 1000} s`)), DEMO_MS_MAX);
let watchdog = watch();

try {
  await play();
} catch (error) {
  await fail(error);
}

async function play(): Promise<void> {
  console.log(
    paint('bold', 'Cairn: a run that waits, is refused, loses its tool, is killed three times, asks a person, pays once, and is corrected'),
  );
  say(
    onStack
      ? `a real nats-server, one process a service, ${eventStore === undefined ? 'one libSQL file' : `the EventStoreDB at ${withoutPassword(eventStore)} (namespace ${world.ns})`}, one handler process, the command line; no cluster. Each kill hits all of them but the handler${eventStore === undefined ? '' : ' and the EventStoreDB'}, and takes all that the bus holds`
      : 'one server process (memory bus, one libSQL file), one handler process, the command line; no cluster, no broker',
  );
  say('outside: a reading service that is busy at first and breaks later, and a payment server with a ledger of its own');
  say(`data folder: ${folder}`);

  const outside = await startOutside(world);
  running.add(outside.reader).add(outside.payments);

  section('1  An event starts a run; its first wait was answered before it opened');
  let { server, url } = await startServer(world, 0);
  running.add(server);
  const port = Number(new URL(url).port);
  say(`server at ${url}, process ${server.pid}`);
  await cairn.show('policy', 'apply', fileURLToPath(new URL('../policy.yaml', import.meta.url)));
  await cairn.show('def', 'apply', fileURLToPath(new URL('./workflow.js', import.meta.url)));
  let handlers = startHandlers(world, outside);
  running.add(handlers);

  const early = await cairn.send(url, 'crm.vendor.registered', VENDOR, 'registered-1', { name: 'Brightwater Instruments' });
  claim('nobody waits for the registration yet, and it is kept', early.outcome === 'kept');
  const requested = await cairn.send(url, 'procurement.vendor.requested', VENDOR, 'requested-1', { vendorId: VENDOR, limitUsd: 10_000 });
  const run = requested.runs[0]?.run ?? '';
  claim('the published event started a run', requested.outcome === 'started' && run !== '');
  const watching = startCairn('run', world, ['run', 'watch', run]);
  running.add(watching);

  const waiting = await until('the run waits for the document', () => waitingRun(url, run));
  const before = await cairn.events(url, run);
  const kept = eventOf(before, 'WaitTriggered', 'registered');
  claim(
    'the first wait was satisfied by the kept event as soon as it opened',
    kept?.data['kept'] === true && kept.data['eventId'] === early.receiptId,
  );
  await cairn.show('wait', 'list');

  section('2  Server and handlers are killed with kill -9 while the run waits');
  say(`kill -9 ${server.pid} ${handlers.pid}`);
  await Promise.all([server.kill9(), handlers.kill9()]);
  running.delete(server);
  running.delete(handlers);
  claim('both processes are gone', !(await answers(url)));
  const firstPid = server.pid;
  ({ server, url } = await startServer(world, port));
  running.add(server);
  handlers = startHandlers(world, outside);
  running.add(handlers);
  say(`started again: server process ${server.pid}, handlers process ${handlers.pid}`);
  const after = await until('the run is back', () => waitingRun(url, run));
  claim('the run waits where it was, not one event more or less', server.pid !== firstPid && after.revision === waiting.revision);

  const missed = await cairn.send(url, 'dms.document.received', WRONG_VENDOR, 'document-1', {
    kind: 'offer',
    file: 'offer-brightwater.txt',
  });
  const miss = missed.nearMisses[0];
  claim(
    `the event with key ${WRONG_VENDOR} woke nobody, and its receipt says why`,
    missed.outcome === 'near_miss' &&
      miss?.clause === 'key' &&
      JSON.stringify([miss.expected, miss.got]).includes(VENDOR) &&
      missed.runs.length === 0,
  );
  const still = await until('the run answers', () => cairn.get<RunView>(url, `runs/${run}`));
  claim('the near miss left no trace in the run', still.revision === waiting.revision);
  const woken = await cairn.send(url, 'dms.document.received', VENDOR, 'document-2', { kind: 'offer', file: 'offer-brightwater.txt' });
  claim('the right event woke the run', woken.outcome === 'woke' && woken.runs[0]?.run === run);

  section('3  The reading service is busy: two refusals, two justified retries');
  await cairn.show('why', run);
  await handlers.printed(/paragraph 1 of/);
  const refused = await cairn.events(url, run);
  const decisions = refused.filter(({ type }) => type === 'RetryDecided');
  claim(
    'each refusal was classified: rate_limited, by what the service itself said',
    decisions.map(bucketOf).join() === 'rate_limited,rate_limited',
  );
  claim('each retry has its justification: rule, new evidence, expected change', decisions.length === 2 && decisions.every(isJustified));
  claim(
    "no retry began before the provider's time",
    startsOf(refused, 'extract')
      .slice(1)
      .every((start) => keepsItsTime(start, refused)),
  );

  section('4  The server is killed again, while the handler reads');
  say('the handler pauses 300 ms after each paragraph, as params of the step say: reading itself takes a few milliseconds');
  await handlers.printed(/paragraph 2 of/);
  say(`kill -9 ${server.pid}, the handler process ${handlers.pid} is left alone`);
  await server.kill9();
  running.delete(server);
  await handlers.printed(/paragraph 4 of/);
  claim('the handler goes on reading although there is no server', !(await answers(url)));
  ({ server, url } = await startServer(world, port));
  running.add(server);
  say(`server started again, process ${server.pid}`);

  section('5  The reading service breaks for good; retry-policy opens a branch on which the declared alternative reads');
  const b2 = await until('the fallback branch reads to its end', async () => {
    const [, branch] = await cairn.branches(url, run);
    return branch?.some(({ type, data }) => type === 'StepSucceeded' && data['step'] === 'extract') === true ? branch : undefined;
  });
  const [main = []] = await cairn.branches(url, run);
  claim(
    'two 503, one justified retry, then fallback: the policy decided it, nobody was asked',
    main
      .filter(({ type }) => type === 'RetryDecided')
      .slice(2)
      .map(({ data }) => [data['bucket'], data['decision']].join(' '))
      .join() === 'upstream_5xx retry,upstream_5xx fallback' && b2[0]?.data['cause'] === 'fallback',
  );
  claim(
    'on b2 nothing that was finished ran again: its first step is extract, with another queue',
    b2.find(({ type }) => type === 'StepStarted')?.data['step'] === 'extract' && eventOf(b2, 'WaitOpened', 'document') === undefined,
  );
  await cairn.show('branch', 'tree', run);

  section('6  The offer is over the limit: a person is asked, and approves less');
  if (!(await approve(url, run))) {
    await rejected(url, run, 0);
    return end(server, handlers, outside, url);
  }

  section('7  Handler and server are killed between the booking and its answer');
  await outside.payments.printed(/^booked/);
  say(`kill -9 ${server.pid} ${handlers.pid}`);
  await Promise.all([server.kill9(), handlers.kill9()]);
  running.delete(server);
  running.delete(handlers);
  claim('the payment server has one booking, and nobody has heard of it', booked().length === 1 && !(await answers(url)));
  ({ server, url } = await startServer(world, port));
  running.add(server);
  handlers = startHandlers(world, outside);
  running.add(handlers);
  say(`started again: server process ${server.pid}, handlers process ${handlers.pid}`);

  section('8  The run goes on and completes');
  const result = await until('the run is complete', async () => {
    const view = await cairn.get<{
      state: string;
      outcome?: string;
      output?: { route?: string; total?: number; booking?: string; record?: string };
    }>(url, `runs/${run}/result?waitMs=1000`);
    return view?.state === 'complete' ? view : undefined;
  });
  claim('it succeeded', result.outcome === 'succeeded');
  claim('what the model read is what the document says: $11,970 in four amounts', result.output?.total === 11_970);
  claim('the record lies where file-away says', existsSync(result.output?.record ?? ''));
  claim('at least one request, exactly one booking', requests() >= 1 && booked().length === 1);
  claim('the output names that booking', result.output?.booking === 'B-1');
  claim('whoever watched saw all of it, across all deaths of the server', (await watching.exited) === 0);
  running.delete(watching);
  await check(url, run, [early, requested, missed, woken]);

  section('9  Verified');
  const { code } = await cairn.show('run', 'verify', run, '--when', 'quiescent');
  claim('cairn run verify finds the history whole', code === 0);

  await correct(url, run, result.output?.route);

  section('Why each retry was justified');
  const explained = await cairn.show('retry', 'explain', run);
  claim('each retry is explained', explained.code === 0);
  await end(server, handlers, outside, url);
}

/**
 * The review of the deposit: asked for, claimed, and approved with a lower amount; by the person at the terminal if that
 * was asked for. Gives whether the run may go on.
 */
async function approve(url: string, run: string): Promise<boolean> {
  const asked = await until('the review is in the inbox', async () => {
    const reviews = await cairn.get<{ readonly items: readonly ReviewView[] }>(url, 'reviews');
    return reviews?.items.find((review) => review.run === run);
  });
  const id = asked.review;
  await cairn.show('review', 'inbox');
  await cairn.show('review', 'show', id);
  const proposed = asked.subjects[0]?.input.amountUsd ?? 0;
  claim('it shows exactly what would be paid: a tenth of the total', proposed === 1_197);
  claim('one claims it', (await cairn.show('review', 'claim', id)).code === 0);
  const { verdict, edits, reason } = await decide(proposed);
  const { code } = await cairn.show('review', 'decide', id, verdict, ...edits, '--reason', reason);
  claim('the decision is taken', code === 0);
  const view = await until('the review is decided', async () => {
    const review = await cairn.get<ReviewView>(url, `reviews/${id}`);
    return review?.status === 'decided' ? review : undefined;
  });
  claim('the review stands in its own history, decided', view.review === id);
  return verdict !== 'reject';
}

/** A person takes the time that a person takes. */
async function decide(proposedUsd: number): Promise<Decision> {
  if (!interactive) return lowered(1_000, 'a thousand up front, the rest on delivery');
  clearTimeout(watchdog);
  const decision = await askPerson(proposedUsd);
  watchdog = watch();
  return decision;
}

/** Whoever was asked said no: the run ends there, and nothing is paid. */
async function rejected(url: string, run: string, bookings: number): Promise<void> {
  const ended = await until('the run has ended', async () => {
    const view = await cairn.get<RunView>(url, `runs/${run}`);
    return view?.state === 'complete' ? view : undefined;
  });
  await cairn.show('why', run);
  claim('rejected: the run has failed, and nothing was booked since', ended.state === 'complete' && booked().length === bookings);
  await cairn.show('branch', 'tree', run);
  const { code } = await cairn.show('run', 'verify', run, '--when', 'quiescent');
  claim('its history is whole', code === 0);
}

/** Days later: what the run decided by was old. The past is not changed, and nothing is paid twice. */
async function correct(url: string, run: string, routed: string | undefined): Promise<void> {
  section('10  An operator finds that the sanctions list was old, and goes back to before the screening');
  const asked = [run, '--at', 'screen', '--set', '/steps/screen/params/list=2026-11-22'];
  const because = ['--reason', 'screened against the list of 1 November'];
  const plan = await cairn.show('branch', 'plan', ...asked);
  claim(
    'the plan lists what is kept, what runs again, the verdict that is asked for again, and the payment that must be chosen for',
    plan.code === 0 && /keeps .*extract/.test(plan.out) && /re_ask/.test(plan.out) && plan.out.includes(`vendor:${VENDOR}:deposit`),
  );
  const silent = await cairn.show('branch', 'open', ...asked, ...because);
  claim('without a word about the payment nothing is opened', silent.code === 1);
  const opened = await cairn.show('branch', 'open', ...asked, ...because, '--effect', `vendor:${VENDOR}:deposit=reuse`);
  claim('with it the run goes on on a branch of its own', opened.code === 0 && opened.out.includes('opened b3'));
  if (!(await approve(url, run))) return rejected(url, run, 1);
  const corrected = await until('the run is complete on b3', async () => {
    const view = await cairn.get<RunView>(url, `runs/${run}`);
    return view?.state === 'complete' && view.head === 'b3' ? view : undefined;
  });
  const { output } = await until('it has its result', () =>
    cairn.get<{ readonly output: { readonly route?: string; readonly booking?: string } }>(url, `runs/${corrected.run}/result`),
  );
  claim('the decision is another now', routed === 'senior-buyer' && output.route === 'compliance');
  claim('and still there is one booking, which the branch has taken over', booked().length === 1 && output.booking === 'B-1');
  await cairn.show('branch', 'tree', run);
  await cairn.show('branch', 'diff', run);
  const events = await cairn.events(url, run);
  claim(
    'nothing that was finished before the fork ran again, and the old path stands as it was',
    startsOf(events, 'extract').length === 5 && events.filter(({ type }) => type === 'RunCompleted').length === 2,
  );
  await cairn.show('why', run);
  const { code } = await cairn.show('run', 'verify', run, '--when', 'quiescent');
  claim('all three branches are whole', code === 0);
}

/** What the history says about the whole story. */
async function check(url: string, run: string, receipts: readonly Receipt[]): Promise<void> {
  section('Timeline, from the history');
  await cairn.show('run', 'history', run);
  const [main = [], b2 = []] = await cairn.branches(url, run);
  const events = [...main, ...b2];
  claim(
    'extract has four attempts on main and one on b2: under the third the server died, and its end was delivered to the next one',
    startsOf(main, 'extract').length === 4 && startsOf(b2, 'extract').length === 1,
  );
  claim('every step has one result', stepsOf(events, 'StepSucceeded').join() === [...new Set(stepsOf(events, 'StepStarted'))].join());
  const intended = events.findIndex(({ type }) => type === 'EffectIntended');
  const confirmed = events.filter(({ type }) => type === 'EffectConfirmed');
  claim('the payment was intended before anything was sent, and confirmed once', intended > 0 && confirmed.length === 1);
  section('Effects');
  await cairn.show('effect', 'list', run);
  // Receipts grow: what was kept at first has woken the run by now.
  const now = await Promise.all(receipts.map(({ receiptId }) => cairn.get<Receipt>(url, `events/${receiptId}`)));
  const used = now.filter((receipt) => receipt !== undefined && receipt.runs.length > 0);
  claim('every inbound event that did something counts once', used.length === events.filter(isInbound).length);
  claim(
    'revisions have no gap',
    [main, b2].every((branch) => branch.every(({ revision }, index) => revision === index)),
  );
  const timer = eventOf(events, 'WaitOpened', 'cool-off');
  const decide = eventOf(events, 'StepStarted', 'decide-route');
  const rang = eventOf(events, 'WaitSatisfied', 'cool-off');
  claim(
    'decide-route ran beside the timer',
    timer !== undefined &&
      decide !== undefined &&
      rang !== undefined &&
      decide.revision < rang.revision &&
      timer.revision < (eventOf(events, 'StepSucceeded', 'decide-route')?.revision ?? 0),
  );
  section('Receipts');
  const emitted = eventOf(events, 'EventEmitted', 'tell');
  const told = await until('the emitted event has its receipt', () =>
    cairn.receipt(url, `/cairn/${world.ns}/document-approval`, String(emitted?.data['eventId'])),
  );
  for (const { receiptId } of [...receipts, told]) await cairn.show('event', 'show', receiptId);
  claim('the world was told, with a receipt of its own', told.receiptId !== '');
}

async function end(server: Server, handlers: Spawned, outside: Outside, url: string): Promise<void> {
  closeTerminal();
  const drained = await handlers.terminate();
  claim('the handlers drain on SIGTERM and end with 0', drained === 0);
  await Promise.all([outside.reader.kill9(), outside.payments.kill9()]);
  if (keep) server.leave();
  else claim('the server drains on SIGTERM and ends with 0', (await server.terminate()) === 0);
  clearTimeout(watchdog);
  const good = allHold();
  console.log(`data folder, kept: ${folder}`);
  if (eventStore !== undefined)
    console.log(
      `namespace ${world.ns} stays in the EventStoreDB: the doctor of another stack on it will miss its queues (deploy/README.md)`,
    );
  if (keep) console.log(`the server still runs: process ${server.pid}, ${url}, CAIRN_DATA=${world.data}`);
  process.exit(good ? 0 : 1);
}

async function fail(error: unknown): Promise<void> {
  clearTimeout(watchdog);
  overheard('demo', paint('red', error instanceof Error ? error.message : String(error)));
  await Promise.all([...running].map((one) => one.kill9()));
  allHold();
  console.log(`data folder, kept: ${folder}`);
  process.exit(1);
}

/** The word behind an option of this command line. */
function optionOf(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at === -1 ? undefined : (process.argv[at + 1] ?? '');
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/?]*@/, '//');
}

/** The run, once it is waiting for the document. */
async function waitingRun(url: string, run: string): Promise<RunView | undefined> {
  const view = await cairn.get<RunView>(url, `runs/${run}`);
  if (view?.state !== 'waiting') return undefined;
  const waits = await cairn.get<{ readonly items: readonly { readonly step: string; readonly run: string }[] }>(url, 'waits?state=open');
  return waits?.items.some((wait) => wait.run === run && wait.step === 'document') === true ? view : undefined;
}

/** The payment server's ledger, as it lies on the disk. */
function ledger(): readonly LedgerLine[] {
  if (!existsSync(world.ledger)) return [];
  const lines = readFileSync(world.ledger, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as LedgerLine);
}
function booked(): readonly LedgerLine[] {
  return ledger().filter(({ kind }) => kind === 'booking');
}
function requests(): number {
  return ledger().filter(({ kind }) => kind === 'request').length;
}
