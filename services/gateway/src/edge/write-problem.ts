import type { ServerResponse } from 'node:http';
import { PROBLEM_MEDIA_TYPE } from '@cairn/contracts';
import type { Refused } from './refused.js';

/** Writes a refusal as the whole answer. Does nothing if an answer has begun: there is no second one in HTTP. */
export function writeProblem(response: ServerResponse, { problem, headers }: Refused): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = JSON.stringify(problem);
  response.writeHead(problem.status, { ...headers, 'content-type': PROBLEM_MEDIA_TYPE, 'content-length': Buffer.byteLength(text, 'utf8') });
  response.end(text);
}
