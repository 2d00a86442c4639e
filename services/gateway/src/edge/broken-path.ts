import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemOf } from '@cairn/contracts';
import { pathOf } from './gate.js';
import { Refused } from './refused.js';
import { writeProblem } from './write-json.js';

/** Answers a path whose percent-encoding is broken, before a router makes an error of its own shape of it. Says whether it was one. */
export function refuseBrokenPath(request: IncomingMessage, response: ServerResponse): boolean {
  const path = pathOf(request);
  if (!path.includes('%')) return false;
  try {
    decodeURIComponent(path);
    return false;
  } catch {
    writeProblem(response, new Refused(problemOf('invalid_id', 'The path is not percent-encoded UTF-8.')));
    return true;
  }
}
