import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { retryPolicyOnStepFailed } from '@cairn/contracts';
import { BUS } from '@cairn/nest-kit';
import type { Bound, Bus } from '@cairn/ports';
import type { RetryPolicy } from '../assemble.js';
import { JudgeFailureCommand } from './judge-failure.door.js';
import { RETRY_POLICY } from './retry-policy-token.js';

/** Failures, as the bus tells of them. */
@Injectable()
export class BusDoor implements OnApplicationBootstrap, OnApplicationShutdown {
  private bound: Bound | undefined;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(RETRY_POLICY) private readonly retryPolicy: RetryPolicy,
    @Inject(CommandBus) private readonly commands: CommandBus,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.retryPolicy.start();
    this.bound = await this.bus.consume(retryPolicyOnStepFailed, (message) => this.commands.execute(new JudgeFailureCommand(message)));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bound?.stop();
    await this.retryPolicy.stop();
  }
}
