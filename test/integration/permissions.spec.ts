// The shipped configuration of nats-server, on a real one (`reliability.md` §6.1). Goal: each user may do what it must, and nothing of
// what is another's. Method: the table below is written by hand from the design, not from the generated lists; every user tries every
// act, and the server's own `Permissions Violation` decides.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createJetStreamBus } from '@cairn/bus-jetstream';
import {
  busStreams,
  consumers,
  executionPartition,
  handlerUser,
  lineSubjects,
  permissionsText,
  publisherUser,
  schedulingIntake,
  serviceUsers,
  subjects,
  workQueue,
  type BusUser,
} from '@cairn/contracts';
import { findNatsServer, notRun, SecuredNats, wallClock } from '@cairn/testkit';
import { jetstream } from '@nats-io/jetstream';
import { connect as natsConnect } from '@nats-io/transport-node';
import { cairn } from './spec/command-line.js';
import { connect, type Connection } from './spec/nats.js';
import { attempts, type Attempts } from './spec/attempts.js';

const ID = '0123456789abcdefghjkmnpqrs';

/** Users that only these specs have, beside those of the services. */
const outside = [
  handlerUser('acme', ['screening']),
  handlerUser('acme', ['paying'], 'payers'),
  handlerUser('other', ['screening']),
  publisherUser('acme', ['start', 'signal']),
  publisherUser('other'),
];
const users: readonly BusUser[] = [...serviceUsers, ...outside];
const names = users.map(({ name }) => name);
const [EXECUTION, SCHEDULING, RETRY, REVIEW, GATEWAY, BUS] = [
  'execution',
  'scheduling',
  'retry-policy',
  'human-review',
  'gateway',
  'bus',
] as const;
const [SCREENER, PAYER, STRANGER, PUBLISHER, QUIET] = [
  'handlers-acme',
  'payers-acme',
  'handlers-other',
  'publisher-acme',
  'publisher-other',
] as const;
const SERVICES = [EXECUTION, SCHEDULING, RETRY, REVIEW];

/** Who may publish what. Everybody else must be refused. */
const publishes: readonly (readonly [subject: string, allowed: readonly string[]])[] = [
  // Facts are their owner's to tell.
  [subjects.fact('acme', 'run', 'StepFailed', ID), [EXECUTION]],
  [subjects.fact('acme', 'run', 'RetryDecided', ID), [EXECUTION]],
  [subjects.fact('acme', 'receipt', 'ReceiptSettled', ID), [SCHEDULING]],
  // Commands are asked by whose business they are.
  [subjects.executionCommand('acme', 7, 'StartRun'), [SCHEDULING]],
  [subjects.executionCommand('acme', 7, 'WakeRun'), [SCHEDULING]],
  [subjects.executionCommand('acme', 7, 'CancelRun'), [SCHEDULING]],
  [subjects.executionCommand('acme', 7, 'ApplyRetryDecision'), [RETRY]],
  [subjects.executionCommand('acme', 7, 'ApplyVerdict'), [REVIEW]],
  [subjects.executionCommand('acme', 7, 'ApplyEscalation'), [REVIEW]],
  [subjects.command('acme', 'human-review', 'decide-review'), [GATEWAY]],
  [subjects.command('acme', 'human-review', 'forge-review'), []],
  [subjects.command('acme', 'scheduling', 'apply-definition'), [GATEWAY]],
  [subjects.command('acme', 'retry-policy', 'apply-policy'), [GATEWAY]],
  [subjects.command('acme', 'scheduling', 'forget-everything'), []],
  // Events come in from outside, from the gateway, and from runs that emit.
  [subjects.inbound('acme', 'order.placed'), [EXECUTION, GATEWAY, PUBLISHER]],
  [subjects.inbound('other', 'order.placed'), [EXECUTION, GATEWAY, QUIET]],
  [subjects.runStart('acme', 'payments'), [GATEWAY, PUBLISHER]],
  [subjects.runStart('other', 'payments'), [GATEWAY]],
  [subjects.signal('acme', ID, 'approved'), [GATEWAY, PUBLISHER]],
  [subjects.runControl('acme', ID, 'cancel'), [GATEWAY]],
  // Work is given by execution and answered by handlers of its namespace.
  [subjects.work('acme', 'screening'), [EXECUTION]],
  [subjects.reply('acme', 7), [EXECUTION, GATEWAY, SCREENER, PAYER]],
  [subjects.reply('other', 7), [EXECUTION, GATEWAY, STRANGER]],
  [subjects.claim('acme', 7), [SCREENER, PAYER]],
  [subjects.exchange('acme', ID), [GATEWAY, SCREENER, PAYER]],
  [subjects.desk('acme', ID, 'reply'), [EXECUTION, GATEWAY]],
  [subjects.desk('acme', ID, 'queue'), [EXECUTION, GATEWAY, BUS]],
  [subjects.desk('acme', ID, 'heartbeat'), [EXECUTION, GATEWAY, SCREENER, PAYER]],
  [subjects.desk('acme', ID, 'moved'), [EXECUTION]],
  [subjects.presence(ID), [EXECUTION]],
  ['cairn.acme.dead.scheduling__intake', SERVICES],
  // Answers.
  ['_INBOX.gateway.x', [...SERVICES, GATEWAY]],
  ['_INBOX.handler.acme.handlers.x', [...SERVICES, SCREENER]],
  // Taking and settling: one's own alone.
  [next('CAIRN_RUN', executionPartition(3).durable), [EXECUTION]],
  [next('CAIRN_IN', schedulingIntake.durable), [SCHEDULING]],
  [next('CAIRN_WORK', workQueue('acme', 'screening').durable), [SCREENER]],
  [next('CAIRN_WORK', workQueue('acme', 'paying').durable), [PAYER]],
  [next('CAIRN_WORK', workQueue('other', 'screening').durable), [STRANGER]],
  [`$JS.ACK.CAIRN_WORK.${workQueue('acme', 'screening').durable}.1.1.1.1.0`, [SCREENER]],
  [`$JS.ACK.CAIRN_RUN.${executionPartition(3).durable}.1.1.1.1.0`, [EXECUTION]],
  // What stands on the server is made by one, and purged by nobody.
  ['$JS.API.STREAM.CREATE.CAIRN_RUN', [BUS]],
  ['$JS.API.STREAM.UPDATE.CAIRN_RUN', [BUS]],
  ['$JS.API.STREAM.CREATE.MINE', []],
  ['$JS.API.STREAM.DELETE.CAIRN_RUN', []],
  ['$JS.API.STREAM.PURGE.CAIRN_RUN', []],
  ['$JS.API.STREAM.MSG.DELETE.CAIRN_RUN', []],
  ['$JS.API.STREAM.MSG.GET.CAIRN_RUN', []],
  ['$JS.API.DIRECT.GET.CAIRN_RUN', []],
  ['$JS.API.STREAM.NAMES', []],
  ['$JS.API.STREAM.SNAPSHOT.CAIRN_RUN', []],
  ['$JS.API.CONSUMER.CREATE.CAIRN_RUN.mine', [BUS]],
  ['$JS.API.CONSUMER.DELETE.CAIRN_RUN.execution__run-3', [BUS]],
  ['$SYS.REQ.SERVER.PING', []],
  ['anything', []],
];

/** Who may subscribe to what. */
const subscribes: readonly (readonly [subject: string, allowed: readonly string[]])[] = [
  ['>', []],
  ['cairn.>', []],
  ['cairn.acme.>', []],
  ['*.acme.in.>', []],
  ['_INBOX.>', []],
  ['$JS.>', []],
  ['$SYS.>', []],
  ['cairn.*.evt.>', [GATEWAY]],
  ['cairn.acme.work.screening', []],
  ['cairn.acme.reply.*', []],
  [lineSubjects.claims, [EXECUTION]],
  [lineSubjects.exchange(ID), [EXECUTION]],
  [lineSubjects.desk(ID), [EXECUTION]],
  [lineSubjects.presence, [EXECUTION, GATEWAY, BUS, SCREENER, PAYER, STRANGER]],
  ['cairn.acme.evt.receipt.receipt-settled.*', [GATEWAY, PUBLISHER]],
  ['cairn.other.evt.receipt.receipt-settled.*', [GATEWAY, QUIET]],
  ...users.map(({ name, inboxPrefix }) => [`${inboxPrefix}.x.*`, [name]] as const),
];

function next(stream: string, durable: string): string {
  return `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`;
}

const found = findNatsServer();

describe('the shipped permissions', () => {
  if ('missing' in found) {
    it('on a real server', () => notRun('permissions of the bus', found.missing));
    return;
  }
  let server: SecuredNats;
  const connections = new Map<string, Connection>();
  const as = (name: string): Connection => connections.get(name)!;
  const tries = new Map<string, Attempts>();

  beforeAll(async () => {
    server = await SecuredNats.start(found.path, names, { permissions: permissionsText(users) });
    for (const { name, inboxPrefix } of users) {
      const connection = await connect(server.url, { credentials: server.credentials(name), inboxPrefix });
      connections.set(name, connection);
      tries.set(name, attempts(connection));
    }
  });
  afterAll(async () => {
    for (const connection of connections.values()) await connection.close();
    await server.dispose();
  });

  it.each(publishes)('publish %s: %j and nobody else', async (subject, allowed) => {
    const may: string[] = [];
    for (const [name, tried] of tries) if (await tried.publish(subject)) may.push(name);
    expect(may.sort()).toEqual([...allowed].sort());
  });

  it.each(subscribes)('subscribe %s: %j and nobody else, in a queue group neither', async (subject, allowed) => {
    for (const queue of [undefined, 'group']) {
      const may: string[] = [];
      for (const [name, tried] of tries) if (await tried.subscribe(subject, queue)) may.push(name);
      expect(may.sort()).toEqual([...allowed].sort());
    }
  });

  it('lets nobody in without an nkey of its own', async () => {
    const refused = {
      code: 'bus_unavailable',
      cause: expect.objectContaining({ message: expect.stringMatching(/authorization/i) as unknown }) as unknown,
    };
    await expect(connect(server.url)).rejects.toMatchObject(refused);
    await expect(connect(server.url, { credentials: { user: 'execution', password: 'x' } })).rejects.toMatchObject(refused);
    const { userNkey } = await import('@cairn/testkit');
    await expect(connect(server.url, { credentials: { nkeySeed: userNkey().seed } })).rejects.toMatchObject(refused);
  });

  it('lets the administrator apply the bus and look at it, with what the command line has from its environment', async () => {
    const env = { CAIRN_NATS_NKEY_SEED_FILE: server.seedFile(BUS), CAIRN_NATS_INBOX_PREFIX: '_INBOX.bus' };
    const apply = await cairn(['bus', 'apply', '--nats', server.url, '--data', '/nowhere'], env);
    expect(apply).toMatchObject({ code: 0, err: '' });
    expect((await cairn(['bus', 'apply', '--nats', server.url, '--data', '/nowhere'], env)).out).toMatch(/^nothing differs/);
    const doctor = (await cairn(['doctor', '--json', '--nats', server.url, '--data', '/nowhere'], env)).json<{
      findings: { check: string; status: string }[];
    }>();
    const status = (check: string): string | undefined => doctor.findings.find((finding) => finding.check === check)?.status;
    expect({ bus: status('bus'), permissions: status('permissions') }).toEqual({ bus: 'ok', permissions: 'ok' });
    const wrong = await cairn(['bus', 'apply', '--nats', server.url, '--data', '/nowhere']);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('The nats-server refuses these credentials');
  });

  it('lets each service bind its consumers, take, answer, bury and settle', async () => {
    const { applyTopology } = await import('@cairn/bus-jetstream');
    await applyTopology(as(BUS), busStreams, [...consumers, workQueue('acme', 'screening')]);
    const bus = (name: string) => createJetStreamBus({ connection: as(name), clock: wallClock, inboxPrefix: `_INBOX.${name}` });
    const execution = bus(EXECUTION);
    const scheduling = bus(SCHEDULING);
    const gateway = bus(GATEWAY);
    const bound = [
      await execution.consume(
        executionPartition(7),
        () => Promise.resolve({ kind: 'done', answer: { did: 'start' } }),
        () => 0,
      ),
      await scheduling.consume(schedulingIntake, async (message) => {
        if (message.id === 'poison') return { kind: 'never', reason: 'poison' };
        const answer = await scheduling.ask(
          { subject: subjects.executionCommand('acme', 7, 'StartRun'), id: message.id, body: {} },
          30_000,
        );
        return { kind: 'done', answer };
      }),
    ];
    expect(await gateway.ask({ subject: subjects.inbound('acme', 'a.b'), id: 'one', body: {} }, 30_000)).toEqual({ did: 'start' });
    await gateway.publish({ subject: subjects.inbound('acme', 'a.b'), id: 'poison', body: {} });
    expect(await gateway.ask({ subject: subjects.inbound('acme', 'a.b'), id: 'two', body: {} }, 30_000)).toEqual({ did: 'start' });
    for (const one of bound) await one.stop();
  });

  it('lets a stock client of a queue take its task and acknowledge it, and reply', async () => {
    const execution = createJetStreamBus({ connection: as(EXECUTION), clock: wallClock, inboxPrefix: '_INBOX.execution' });
    await execution.publish({ subject: subjects.work('acme', 'screening'), id: 'task', body: { step: 'x' } });
    const { nkeyAuthenticator } = await import('@nats-io/nats-core');
    const seed = new TextEncoder().encode(server.credentials(SCREENER).nkeySeed);
    const stock = await natsConnect({
      servers: server.url,
      authenticator: nkeyAuthenticator(seed),
      inboxPrefix: '_INBOX.handler.acme.handlers',
    });
    const consumer = await jetstream(stock).consumers.get('CAIRN_WORK', workQueue('acme', 'screening').durable);
    const message = await consumer.next({ expires: 5_000 });
    expect(message?.json()).toEqual({ step: 'x' });
    expect(await message?.ackAck()).toBe(true);
    expect(await jetstream(stock).publish(subjects.reply('acme', 7), '{}')).toMatchObject({ stream: 'CAIRN_RUN' });
    await expect(jetstream(stock).consumers.get('CAIRN_WORK', workQueue('acme', 'paying').durable)).rejects.toThrow(/permission/i);
    await stock.close();
  });
});
