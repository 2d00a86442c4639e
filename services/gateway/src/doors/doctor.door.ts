import { Readable } from 'node:stream';
import { Controller, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Gateway, Params } from '../assemble.js';
import { GATEWAY } from './gateway-token.js';

/** What an operator has looked into and mended. */
@Controller('v1/:ns')
export class DoctorDoor {
  constructor(@Inject(GATEWAY) private readonly gateway: Gateway) {}

  /** Folds of all namespaces: the one in the path only says who asks. */
  @Post('doctor::rebuild')
  @HttpCode(200)
  async rebuild(@Param() params: Params, @Res() reply: FastifyReply): Promise<void> {
    const lines = this.gateway.rebuild(params);
    await reply
      .status(200)
      .headers({ 'content-type': 'application/x-ndjson', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      .send(Readable.from(lines, { objectMode: false }));
  }
}
