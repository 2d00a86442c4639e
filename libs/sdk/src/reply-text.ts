import { cutMessage } from './cut-text.js';
import type { Outcome } from './handler.js';
import type { Attempt } from './task.js';

/** The terminal reply of an attempt as JSON text (`capabilities.md` §4), a CloudEvent `cairn.reply.succeeded.v1` or `.failed.v1`. */
export function replyText(attempt: Attempt, outcome: Outcome, source: string): string {
  const lease = `{"attemptId":"${attempt.attemptId}","branch":${JSON.stringify(attempt.branch)},"epoch":${attempt.epoch}}`;
  const data = outcome.kind === 'succeeded' ? `"output":${outcome.output}${spoken(outcome.options)}` : failureText(outcome);
  return (
    `{"specversion":"1.0","id":"${attempt.attemptId}:end","type":"cairn.reply.${outcome.kind}.v1","source":"/${source}",` +
    `"cairnrun":"${attempt.run}","data":{"lease":${lease},${data}}}`
  );
}

/** Instead of a reply that the server refused: the same attempt ends as failed, and says what the server said. */
export function failedReplyText(refused: string, problem: string): string {
  const { data, ...envelope } = JSON.parse(refused) as { readonly data: { readonly lease: unknown } };
  const failure = { bucket: 'invalid_output', code: 'invalid_output', message: cutMessage(`the server refused the reply: ${problem}`) };
  return JSON.stringify({ ...envelope, type: 'cairn.reply.failed.v1', data: { lease: data.lease, failure } });
}

function failureText({ failure, usage }: Extract<Outcome, { kind: 'failed' }>): string {
  return `"failure":${JSON.stringify(failure)}${usage === undefined ? '' : `,"usage":${JSON.stringify(usage)}`}`;
}

/** `,"evidence":…` and so on; most results have none. */
function spoken(options: object): string {
  const text = JSON.stringify(options);
  return text === '{}' ? '' : `,${text.slice(1, -1)}`;
}
