import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { IncomingMessage, Settlement } from '@cairn/ports';
import type { Scheduling } from '../assemble.js';
import { SCHEDULING } from './scheduling-token.js';

/** What people ask of scheduling: to apply a definition, to import a bundle. */
export class TakeSchedulingCommand extends Command<Settlement> {
  constructor(readonly message: IncomingMessage) {
    super();
  }
}

@CommandHandler(TakeSchedulingCommand)
export class TakeCommandDoor implements ICommandHandler<TakeSchedulingCommand> {
  constructor(@Inject(SCHEDULING) private readonly scheduling: Scheduling) {}

  execute({ message }: TakeSchedulingCommand): Promise<Settlement> {
    return this.scheduling.takeCommand(message);
  }
}
