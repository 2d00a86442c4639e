import { applyBus } from '../bus/apply-bus.js';
import { mendedText } from '../bus/bus-text.js';
import type { DeclaredBus } from '../bus/declared.js';
import type { NatsConnection } from '../bus/nats-access.js';
import { Paint } from '../paint.js';
import { failed, ok, unseen, type Finding } from './finding.js';
import { startCommand, type Patient } from './patient.js';

/** Bus streams and consumers equal to the contract and the stored definitions, each difference shown. */
export async function checkTopology(connection: NatsConnection, declared: DeclaredBus): Promise<Finding> {
  const differences = await applyBus(connection, declared, { dryRun: true });
  const { streams, consumers, queues } = declared;
  if (differences.length === 0)
    return ok('bus', `${streams.length} bus streams, ${consumers.length} consumers (${queues.length} of queues) as the contract says`);
  const lines = mendedText(differences, new Paint({ tty: false, env: {} }))
    .trimEnd()
    .split('\n');
  return failed('bus', `${differences.length} bus streams or consumers are not as the contract says`, 'npx cairn bus apply', lines);
}

/** Whether somebody serves the services' consumers, and what lies unread in them. */
export async function checkServices(connection: NatsConnection, { consumers, queues }: DeclaredBus, patient: Patient): Promise<Finding> {
  const { standingsOf } = await import('@cairn/bus-jetstream');
  const ofQueues = new Set(queues.map(({ ns, queue }) => `${ns}__${queue}`));
  const standings = await standingsOf(
    connection,
    consumers.filter(({ durable }) => !ofQueues.has(durable)),
  );
  const lag = standings.reduce((sum, { pending }) => sum + pending, 0);
  const unserved = standings.filter(({ pulls, open }) => pulls + open === 0); // Under load all pulls may be used up for a moment.
  const services = [...new Set(unserved.map(({ spec }) => spec.durable.split('__')[0] ?? ''))];
  if (services.length === 0) return ok('services', `all consumers are served; ${lag} messages wait`);
  const details = services.map((service) => {
    const own = unserved.filter(({ spec }) => spec.durable.startsWith(`${service}__`));
    return `${service}: ${own.length} consumers are served by nobody, ${own.reduce((sum, { pending }) => sum + pending, 0)} messages wait`;
  });
  return failed('services', `${services.join(', ')}: not running, or not bound`, startCommand(patient), details);
}

/** Whether these credentials open only what they must: something that is nobody's must be refused to them. */
export async function checkPermissions(connection: NatsConnection, { nats }: Patient): Promise<Finding> {
  const check = 'permissions';
  if (nats.credentials === undefined) return unseen(check, 'no credentials are given (CAIRN_NATS_NKEY_SEED_FILE)');
  let refused = false;
  const statuses = connection.status();
  void (async () => {
    for await (const status of statuses) if (status.type === 'error' && /permissions violation/i.test(status.error.message)) refused = true;
  })();
  connection.publish('cairn-doctor.forbidden', new Uint8Array()); // No bus stream takes it, whoever may publish it.
  await connection.flush(); // The server refuses before it answers this.
  await new Promise(setImmediate);
  if (refused) return ok(check, 'a publish that is nobody’s was refused');
  return failed(check, 'these credentials may publish anything', 'nats-server --config deploy/nats/nats-server.conf');
}
