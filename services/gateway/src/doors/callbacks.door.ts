import { Body, Controller, Get, Headers, Inject, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { Gateway } from '../assemble.js';
import { callbackPage, pageHeaders, receivedPage } from '../callbacks/show-callback.js';
import type { RawBody } from '../edge/read-body.js';
import { GATEWAY } from './gateway-token.js';

/** Links that tasks were given, used from outside: the token is all that is asked for. A GET only shows. */
@Controller('v1/callbacks')
export class CallbacksDoor {
  constructor(@Inject(GATEWAY) private readonly gateway: Gateway) {}

  @Get(':token')
  async show(@Param('token') token: string, @Headers() headers: IncomingHttpHeaders, @Res() reply: FastifyReply): Promise<void> {
    const view = await this.gateway.showCallback(token);
    if (wantsPage(headers)) await reply.headers(pageHeaders).send(callbackPage(view));
    else await reply.header('cache-control', 'no-store').send(view);
  }

  @Post(':token')
  async use(
    @Param('token') token: string,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { status, body: answer } = await this.gateway.useCallback(token, body);
    if (wantsPage(headers)) await reply.status(status).headers(pageHeaders).send(receivedPage());
    else await reply.status(status).header('cache-control', 'no-store').send(answer);
  }
}

/** A browser says that it wants a page; programs do not. */
const wantsPage = ({ accept }: IncomingHttpHeaders): boolean => accept?.includes('text/html') === true;
