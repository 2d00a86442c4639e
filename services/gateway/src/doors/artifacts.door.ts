import type { IncomingHttpHeaders } from 'node:http';
import { Body, Controller, Get, Headers, Inject, Param, Put, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Gateway, Params } from '../assemble.js';
import type { RawBody } from '../edge/read-body.js';
import { GATEWAY } from './gateway-token.js';
import { write } from './write-answer.js';

/** Bytes by their digest: what is too large for a reply, or no JSON. */
@Controller('v1/:ns/artifacts')
export class ArtifactsDoor {
  constructor(@Inject(GATEWAY) private readonly gateway: Gateway) {}

  @Put()
  put(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.putArtifact(params, headers, body));
  }

  @Put(':sha256')
  putNamed(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.putArtifact(params, headers, body));
  }

  /** As bytes of no type, which no browser may guess: what they are is said where they are named. */
  @Get(':sha256')
  async get(@Param() params: Params, @Res() reply: FastifyReply): Promise<void> {
    const { sha256, bytes } = await this.gateway.getArtifact(params);
    await reply
      .header('content-type', 'application/octet-stream')
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'private, immutable, max-age=31536000')
      .header('etag', `"${sha256}"`)
      .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
}
