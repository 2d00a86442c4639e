import { subjects, type CommandAnswer, type CommandMessage } from '@cairn/contracts';
import type { RunCommand } from '@cairn/domain-run';
import { partitionOf, type Id, type JsonObject } from '@cairn/kernel';
import { ASK_DEADLINE_MS, type Bus, type Ids } from '@cairn/ports';

/** How scheduling asks execution to move a run. Every ring is a message of its own; that it is the same ring again, the run's history knows. */
export class ExecutionDesk {
  constructor(
    private readonly bus: Bus,
    private readonly ids: Ids,
  ) {}

  /** A text that no other call gives. */
  fresh(): string {
    return this.ids.next();
  }

  /**
   * The answer comes after execution's append. `causationId` and `actor` are what that append will carry (`history.md` §1).
   * Throws `BusFault`: whether the command was carried out is then unknown, and the next sweep asks again.
   */
  async ask(ns: string, runId: Id, command: RunCommand, causationId: string, actor = 'service:scheduling'): Promise<CommandAnswer> {
    const id = this.ids.next();
    const body: CommandMessage = {
      id,
      ns,
      runId,
      type: command.type,
      actor,
      causationId,
      data: command.data as unknown as JsonObject,
    };
    const subject = subjects.executionCommand(ns, partitionOf(runId), command.type);
    return (await this.bus.ask({ subject, id, body: body as unknown as JsonObject }, ASK_DEADLINE_MS)) as unknown as CommandAnswer;
  }
}
