import type { CloudEvent, ReplyData, TaskData } from '@cairn/contracts';
import { CAPACITY, pause, type HandlerLife } from './handler-life.js';
import { NS } from './names.js';

const POLL_WAIT_MS = 500;
const IDLE_PAUSE_MS = 400;
/** Of so many polls one is for those who find out what became of effects, and one for those who undo them. */
const LOOKS_EVERY = 4;

/** A handler that polls for tasks, beats for each while it works, and posts its answers, for as long as it lives. */
export async function keepPolling(life: HandlerLife): Promise<never> {
  const busy = new Set<string>();
  for (let turn = 0; ; turn++) {
    const free = CAPACITY - busy.size;
    const options = { max: free, waitMs: POLL_WAIT_MS };
    const queue = turn % LOOKS_EVERY === 0 ? 'look' : turn % LOOKS_EVERY === 2 ? 'undo' : 'work';
    const tasks = free <= 0 ? [] : await life.call((gone) => life.desk.poll(NS, queue, { ...options, gone })).catch(() => []);
    for (const task of tasks) {
      life.world.coverage.note('task polled');
      busy.add(task.id);
      life.work(
        task,
        (reply) => void post(life, reply).then(() => busy.delete(task.id)),
        () => busy.delete(task.id),
      );
      life.clock.after(task.data?.timeoutMs ?? 0, () => busy.delete(task.id));
      void beat(life, task, busy);
    }
    await pause(life.clock, life.random.below(IDLE_PAUSE_MS));
  }
}

async function beat(life: HandlerLife, { id, data }: CloudEvent<TaskData>, busy: ReadonlySet<string>): Promise<void> {
  for (;;) {
    await pause(life.clock, (data?.leaseMs ?? 0) / 3);
    if (!busy.has(id)) return;
    if (!(await life.call(() => life.desk.heartbeat(NS, id)).catch(() => true))) return;
  }
}

/** Posts until somebody answers, and perhaps once more. */
async function post(life: HandlerLife, reply: CloudEvent<ReplyData>): Promise<void> {
  const attemptId = reply.data?.lease.attemptId ?? '';
  for (;;) {
    const outcome = await life.call(() => life.desk.reply(NS, attemptId, reply)).catch(() => undefined);
    if (outcome !== undefined && !life.settled(reply.id, outcome === 'accepted')) return;
    await pause(life.clock, 200 + life.random.below(1_000));
  }
}
