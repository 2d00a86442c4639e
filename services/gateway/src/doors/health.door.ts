import { Controller, Get, Inject, Res } from '@nestjs/common';
import { Health } from '@cairn/nest-kit';
import type { FastifyReply } from 'fastify';
import type { Gateway } from '../assemble.js';
import { EXPOSITION, GATEWAY, type Exposition } from './gateway-token.js';

/** Probes and metrics. */
@Controller()
export class HealthDoor {
  constructor(
    @Inject(Health) private readonly health: Health,
    @Inject(GATEWAY) private readonly gateway: Gateway,
    @Inject(EXPOSITION) private readonly exposition: Exposition,
  ) {}

  /** Live: whoever reads this has seen the event loop turn. */
  @Get('healthz')
  live(): { readonly live: true } {
    return { live: true };
  }

  @Get('readyz')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const report = await this.health.readiness();
    reply.status(report.ready ? 200 : 503);
    return report;
  }

  /** 503 while the history is folded after a start: counters that begin at nothing again would be told as new events. */
  @Get('metrics')
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    if (!(await this.gateway.tellMetrics())) return void (await reply.status(503).send('the history is still being folded\n'));
    await reply.header('content-type', this.exposition.contentType).send(await this.exposition.render());
  }
}
