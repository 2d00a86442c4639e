import type { FastifyReply } from 'fastify';
import type { Answer } from '../answer.js';

/** Hands an answer to Fastify: its status now, its body as what the door returns. */
export async function write(reply: FastifyReply, answer: Answer | Promise<Answer>): Promise<unknown> {
  const { status, body } = await answer;
  reply.status(status);
  return body;
}
