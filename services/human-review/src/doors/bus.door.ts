import { Controller, Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { humanReviewCommands, humanReviewOnRunFacts } from '@cairn/contracts';
import { outcomeOf, type Binding, type DoorOutcome } from '@cairn/nest-kit';
import type { IncomingMessage } from '@cairn/ports';
import type { HumanReview } from '../assemble.js';
import { HUMAN_REVIEW } from './human-review-token.js';
import { TakeHumanReviewCommand } from './take-command.door.js';

/** What human-review hears, and the consumers that bring it. */
export const humanReviewConsumers = [humanReviewOnRunFacts, humanReviewCommands] as const;
export const humanReviewBindings: readonly Binding[] = humanReviewConsumers.map((spec) => ({ pattern: spec.durable, spec }));

/** Facts and commands, as the bus brings them. */
@Controller()
export class BusDoor {
  constructor(
    @Inject(HUMAN_REVIEW) private readonly humanReview: HumanReview,
    @Inject(CommandBus) private readonly commands: CommandBus,
  ) {}

  @MessagePattern(humanReviewOnRunFacts.durable)
  onRunFact(@Payload() message: IncomingMessage): Promise<DoorOutcome> {
    return outcomeOf(this.humanReview.onRunFact(message));
  }

  @MessagePattern(humanReviewCommands.durable)
  takeCommand(@Payload() message: IncomingMessage): Promise<DoorOutcome> {
    return outcomeOf(this.commands.execute(new TakeHumanReviewCommand(message)));
  }
}
