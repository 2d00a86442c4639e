import type { Context } from './shell.js';

/** What `--print-event` shows: the event that asks for the same, and where it is published. The placeholders are the caller's to fill. */
export const printedEvent = (subject: string, type: string, data: object) => ({
  subject,
  event: { specversion: '1.0', id: '<yours>', source: '<yours>', type, datacontenttype: 'application/json', data },
});

/** The option of every verb that changes something, and what it says of itself. */
export const PRINT_EVENT = ['--print-event', 'the event that asks for the same, instead of asking'] as const;

/** Shows it in place of asking. */
export function printEvent(context: Pick<Context, 'print'>, subject: string, type: string, data: object): void {
  const event = printedEvent(subject, type, data);
  context.print(event, () => `${JSON.stringify(event)}\n`);
}
