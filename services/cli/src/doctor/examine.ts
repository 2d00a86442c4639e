import { join } from 'node:path';
import { declaredBus, readDeclaredBus } from '../bus/declared.js';
import { connectTo } from '../bus/nats-access.js';
import { EXIT } from '../exit-codes.js';
import { Refusal } from '../refusal.js';
import { checkPermissions, checkServices, checkTopology } from './bus.js';
import { failed, unreachable, unseen, type Finding } from './finding.js';
import { checkGateway } from './gateway.js';
import { checkConfiguration, checkNode } from './machine.js';
import { checkClock, checkServer, checkSync } from './nats-server.js';
import type { Patient } from './patient.js';
import { checkReplicas } from './replicas.js';
import { checkStore } from './store.js';

/** Every check that applies here, in the order in which they depend on each other. Never throws for what is only broken. */
export async function examine(asked: Patient): Promise<readonly Finding[]> {
  const { findings, hasBus } = await checkGateway(asked);
  // A gateway that has a bus is of a stack, though nothing here says where: then the bus is looked for where `bus apply` looks for it.
  const patient = hasBus === true ? { ...asked, stack: true } : asked;
  const store = await checkStore(patient);
  return [
    checkNode(process.version),
    checkConfiguration(patient),
    ...findings,
    ...store,
    ...(patient.stack
      ? await checkBus(
          patient,
          store.some(({ check, status }) => check === 'event store' && status === 'failed'),
        )
      : [unseen('nats-server', unnamed(patient, hasBus))]),
  ];
}

/** Only a gateway knows that there is no nats-server; without one it is said what was looked for. */
const unnamed = ({ data }: Patient, hasBus: boolean | undefined): string =>
  hasBus === false
    ? 'none is named: the bus is the memory of `cairn dev`'
    : `not checked: none is named by --nats, CAIRN_NATS_URL or ${join(data, 'server.json')}, and no gateway says whether there is one`;

/** `storeFails`, away or not: it is not asked and told a second time, and the queues of stored definitions are not looked at. */
async function checkBus(patient: Patient, storeFails: boolean): Promise<readonly Finding[]> {
  const { findings, info } = await checkServer(patient);
  if (info === undefined) return findings;
  const first = [...findings, await checkSync(patient, info)];
  try {
    const declared = storeFails ? declaredBus([]) : await readDeclaredBus(patient.data, patient.env);
    const connection = await connectTo(patient.nats, 'cairn doctor');
    try {
      const topology = await checkTopology(connection, declared);
      return [
        ...first,
        topology,
        await checkClock(connection),
        await checkServices(connection, declared, patient),
        ...(await checkReplicas(connection, declared, patient)).map((finding) =>
          storeFails && finding.check === 'queues' ? unseen('queues', 'not known while the event store fails') : finding,
        ),
        await checkPermissions(connection, patient),
      ];
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { problem, exitCode, next = 'npx cairn doctor --config' } = error;
    return [...first, (exitCode === EXIT.unreachable ? unreachable : failed)('connection', problem.detail, next)];
  }
}
