import type { ServerResponse } from 'node:http';
import { PROBLEM_MEDIA_TYPE } from '@cairn/contracts';
import type { Refused } from './refused.js';

/** Writes a whole answer. */
export function writeJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text, 'utf8') });
  response.end(text);
}

/** Writes a refusal as the whole answer. If an answer has begun the connection ends: there is no second one in HTTP. */
export function writeProblem(response: ServerResponse, { problem, headers }: Refused): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = JSON.stringify(problem);
  response.writeHead(problem.status, { ...headers, 'content-type': PROBLEM_MEDIA_TYPE, 'content-length': Buffer.byteLength(text, 'utf8') });
  response.end(text);
}
