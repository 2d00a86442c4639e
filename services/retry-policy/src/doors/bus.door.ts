import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { retryPolicyCommands, retryPolicyOnStepFailed } from '@cairn/contracts';
import { BUS } from '@cairn/nest-kit';
import type { Bound, Bus } from '@cairn/ports';
import type { RetryPolicy } from '../assemble.js';
import { RETRY_POLICY } from './retry-policy-token.js';
import { TakeRetryPolicyCommand } from './take-command.door.js';

/** Failures and commands, as the bus brings them. Nothing is taken before the working set has caught up. */
@Injectable()
export class BusDoor implements OnApplicationBootstrap, OnApplicationShutdown {
  private bound: readonly Bound[] = [];

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(RETRY_POLICY) private readonly retryPolicy: RetryPolicy,
    @Inject(CommandBus) private readonly commands: CommandBus,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.retryPolicy.start();
    this.bound = await Promise.all([
      this.bus.consume(retryPolicyOnStepFailed, (message) => this.retryPolicy.onStepFailed(message)),
      this.bus.consume(retryPolicyCommands, (message) => this.commands.execute(new TakeRetryPolicyCommand(message))),
    ]);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.bound.map((bound) => bound.stop()));
    await this.retryPolicy.stop();
  }
}
