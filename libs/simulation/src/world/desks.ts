import type { CloudEvent, ExchangeRequest, ExchangeResponse, ReplyData, TaskData, WorkDesk } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { World } from './world.js';

/** Where a replica of execution takes frames while it is up. What was asked of a dead one is answered by a broken connection. */
export class DeskOf {
  private desk: WorkDesk | undefined;
  private readonly broken = new Set<() => void>();

  constructor(
    private readonly world: World,
    readonly replica: string,
  ) {}

  opened(desk: WorkDesk): void {
    this.desk = desk;
  }

  closed(): void {
    this.desk = undefined;
    for (const cut of this.broken) this.world.clock.after(1, cut);
    this.broken.clear();
  }

  /** Carries a frame there and back. Rejects if the replica is down or dies before it has answered. */
  exchange(ns: string, frame: ExchangeRequest, gone: AbortSignal): Promise<ExchangeResponse> {
    return this.call((desk) => desk.exchange(ns, frame, gone));
  }

  poll(ns: string, queue: string, options: { max: number; waitMs: number; gone: AbortSignal }): Promise<readonly CloudEvent<TaskData>[]> {
    return this.call((desk) => desk.poll(ns, queue, options));
  }

  heartbeat(ns: string, attemptId: Id): Promise<boolean> {
    return this.call((desk) => desk.heartbeat(ns, attemptId));
  }

  reply(ns: string, attemptId: Id, reply: CloudEvent<ReplyData>): Promise<'accepted' | 'late'> {
    return this.call((desk) => desk.reply(ns, attemptId, reply));
  }

  private call<T>(ask: (desk: WorkDesk) => Promise<T>): Promise<T> {
    const { desk } = this;
    if (desk === undefined) return Promise.reject(new Error('connection refused'));
    return new Promise((resolve, reject) => {
      const cut = (): void => reject(new Error('connection lost'));
      this.broken.add(cut);
      const answered = (): void => void this.broken.delete(cut);
      // In the replica's own time: a stopped replica answers when it is woken.
      this.world.scheduler.after(this.replica, 0, () => {
        ask(desk).then(
          (response) => (answered(), resolve(response)),
          (error: unknown) => (answered(), reject(error as Error)),
        );
      });
    });
  }
}
