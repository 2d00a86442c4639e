import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { IncomingMessage, Settlement } from '@cairn/ports';
import type { HumanReview } from '../assemble.js';
import { HUMAN_REVIEW } from './human-review-token.js';

/** What people ask of human-review: to claim, to comment, to decide. CommandBus routes by class, so the message travels inside one. */
export class TakeHumanReviewCommand extends Command<Settlement> {
  constructor(readonly message: IncomingMessage) {
    super();
  }
}

@CommandHandler(TakeHumanReviewCommand)
export class TakeCommandDoor implements ICommandHandler<TakeHumanReviewCommand> {
  constructor(@Inject(HUMAN_REVIEW) private readonly humanReview: HumanReview) {}

  execute({ message }: TakeHumanReviewCommand): Promise<Settlement> {
    return this.humanReview.takeCommand(message);
  }
}
