import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { IncomingMessage, Settlement } from '@cairn/ports';
import type { Scheduling } from '../assemble.js';
import { SCHEDULING } from './scheduling-token.js';

/** CommandBus routes by class, so the message travels inside one. */
export class TakeEventCommand extends Command<Settlement> {
  constructor(readonly message: IncomingMessage) {
    super();
  }
}

@CommandHandler(TakeEventCommand)
export class TakeEventDoor implements ICommandHandler<TakeEventCommand> {
  constructor(@Inject(SCHEDULING) private readonly scheduling: Scheduling) {}

  execute({ message }: TakeEventCommand): Promise<Settlement> {
    return this.scheduling.takeEvent(message);
  }
}
