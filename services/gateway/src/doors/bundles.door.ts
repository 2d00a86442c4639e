import { Readable } from 'node:stream';
import { Body, Controller, Get, Inject, Param, Post, Query as QueryString, Res } from '@nestjs/common';
import { BUNDLE_MEDIA_TYPE } from '@cairn/contracts';
import type { FastifyReply } from 'fastify';
import type { Gateway, Params } from '../assemble.js';
import type { Query } from '../edge/params.js';
import type { RawBody } from '../edge/read-body.js';
import { GATEWAY } from './gateway-token.js';
import { write } from './write-answer.js';

/** Runs as bundles: out of one store, into another. */
@Controller('v1/:ns')
export class BundlesDoor {
  constructor(@Inject(GATEWAY) private readonly gateway: Gateway) {}

  @Get('runs/:id/bundle')
  async export(@Param() params: Params, @QueryString() query: Query, @Res() reply: FastifyReply): Promise<void> {
    const text = await this.gateway.exportBundle(params, query);
    await reply
      .headers({ 'content-type': BUNDLE_MEDIA_TYPE, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      .send(Readable.from(text, { objectMode: false }));
  }

  @Post('bundles')
  import(@Param() params: Params, @Body() body: RawBody | undefined, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.importBundle(params, body));
  }
}
