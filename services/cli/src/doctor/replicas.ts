import { lineSubjects, PRESENCE_PATIENCE_MS, subjects, workQueue, type Presence, type QueueView } from '@cairn/contracts';
import { isId, type Id } from '@cairn/kernel';
import type { Line } from '@cairn/ports';
import type { DeclaredBus } from '../bus/declared.js';
import type { NatsConnection } from '../bus/nats-access.js';
import { failed, ok, unseen, type Finding } from './finding.js';
import { startCommand, type Patient } from './patient.js';

/** A desk answers at once; one that is silent for so long is not counted on. */
const DESK_MS = 1_000;

/** Which replicas of execution live, and whether each queue with work in it has somebody who does it. */
export async function checkReplicas(connection: NatsConnection, { queues }: DeclaredBus, patient: Patient): Promise<readonly Finding[]> {
  const [{ createNatsLine, standingsOf }, { systemClock }] = await Promise.all([import('@cairn/bus-jetstream'), import('@cairn/system')]);
  const line = createNatsLine(connection, systemClock, patient.nats.inboxPrefix);
  try {
    const replicas = await heard(line);
    const presence =
      replicas.length === 0
        ? failed('replicas', 'no replica of execution is heard', startCommand(patient))
        : ok('replicas', `${replicas.length} of execution live`);
    if (queues.length === 0) return [presence, unseen('queues', 'no stored definition names one')];
    const standings = await standingsOf(
      connection,
      queues.map(({ ns, queue }) => workQueue(ns, queue)),
    );
    const idle: string[] = [];
    for (const { ns, queue } of queues) {
      const views = await Promise.all(replicas.map((replica) => view(line, ns, replica, queue)));
      const standing = standings.find(({ spec }) => spec.durable === workQueue(ns, queue).durable);
      const handlers = views.reduce((sum, one) => sum + one.handlers, 0) + (standing?.pulls ?? 0) + (standing?.open ?? 0);
      const waiting = views.reduce((sum, one) => sum + one.waiting, 0) + (standing?.pending ?? 0);
      if (handlers === 0 && waiting > 0) idle.push(`${ns}/${queue}: ${waiting} ${waiting === 1 ? 'task waits' : 'tasks wait'}`);
    }
    if (idle.length === 0) return [presence, ok('queues', `none of ${queues.length} waits for a handler`)];
    const names = idle.map((text) => text.slice(0, text.indexOf(':'))).join(', ');
    return [presence, failed('queues', `nobody serves ${names}`, 'start a handler that serves it (README: By hand)', idle)];
  } finally {
    await line.close();
  }
}

/** Those whose beat is heard within the patience that they have with each other. */
async function heard(line: Line): Promise<readonly Id[]> {
  const living = new Set<Id>();
  const listening = line.listen(lineSubjects.presence, ({ data }) => {
    const { replica, leaving } = parsed<Presence>(data);
    if (!isId(replica)) return;
    if (leaving === true) living.delete(replica);
    else living.add(replica);
  });
  await new Promise((resolve) => setTimeout(resolve, PRESENCE_PATIENCE_MS));
  listening.stop();
  return [...living];
}

async function view(line: Line, ns: string, replica: Id, queue: string): Promise<QueueView> {
  try {
    const question = new TextEncoder().encode(JSON.stringify({ queue }));
    const { handlers, waiting } = parsed<QueueView>(await line.ask(subjects.desk(ns, replica, 'queue'), question, DESK_MS));
    return { handlers: Number(handlers ?? 0), waiting: Number(waiting ?? 0) };
  } catch {
    return { handlers: 0, waiting: 0 }; // It died since: what it had is with another, or waits.
  }
}

function parsed<T>(data: Uint8Array): Partial<T> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return typeof value === 'object' && value !== null ? (value as Partial<T>) : {};
  } catch {
    return {};
  }
}
