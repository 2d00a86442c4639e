/** What `--print-event` shows: the event that asks for the same, and where it is published. The placeholders are the caller's to fill. */
export const printedEvent = (subject: string, type: string, data: object): object => ({
  subject,
  event: { specversion: '1.0', id: '<yours>', source: '<yours>', type, datacontenttype: 'application/json', data },
});
