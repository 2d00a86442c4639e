import { workflow, z } from '@cairn/sdk';

/**
 * A vendor is asked for an offer; when it arrives it is read, routed, its deposit paid and the record filed, and the world is told.
 * Nothing here says what happens when a process dies: the answer is the same for every line.
 */
export default workflow('document-approval', {
  version: '1.0.0',
  class: 'long',
  goal: 'The offer of vendor ${input.vendorId} is read, routed, paid for and filed',
})
  .input(z.object({ vendorId: z.string(), limitUsd: z.number() }))
  .on({ event: 'procurement.vendor.requested', key: '${event.data.vendorId}' })
  // Registration often comes before anybody asks for an offer: an event of the last day counts.
  .wait('registered', {
    any: [{ event: { type: 'crm.vendor.registered', key: '${input.vendorId}' } }],
    lookBack: '1d',
    deadline: '3d',
    staleAfter: '1d',
    onDeadline: { fail: 'not_found' },
  })
  .wait('document', {
    any: [{ event: { type: 'dms.document.received', key: '${input.vendorId}', where: "event.data.kind == 'offer'" } }],
    deadline: '14d',
    staleAfter: '7d',
    onDeadline: { step: 'chase' },
  })
  .emit('chase', { side: true, type: 'procurement.vendor.reminded', key: '${input.vendorId}', data: { about: 'offer' } })
  .task('extract', {
    queue: 'extraction',
    input: { file: '${steps.document.output.data.file}' },
    // The reader needs milliseconds; the pause makes it slow enough to be killed under.
    params: { pauseMs: 300 },
    timeout: '2m',
    checkpoint: 'read',
  })
  // Beside each other: the decision, and a second of waiting.
  .task('decide-route', {
    after: ['extract'],
    queue: 'routing',
    input: { total: '${steps.extract.output.total}', tone: '${steps.extract.output.tone}', limitUsd: '${input.limitUsd}' },
  })
  .wait('cool-off', { after: ['extract'], any: [{ timer: '1s' }], noDeadline: { because: 'a timer always comes' } })
  // The world outside changes once, whoever dies: the intent stands in the history before the task leaves, and the target honours the key.
  .effect('pay', {
    after: ['decide-route', 'cool-off'],
    purpose: 'pay the deposit that the offer asks for',
    queue: 'payments',
    key: 'vendor:${input.vendorId}:deposit',
    guarantee: 'idempotent',
    input: { vendor: '${input.vendorId}', amountUsd: '${steps.extract.output.total / 10.0}' },
    timeout: '1m',
  })
  .task('file-away', {
    queue: 'filing',
    input: {
      vendor: '${input.vendorId}',
      extracted: '${steps.extract.output}',
      decision: "${steps['decide-route'].output}",
      booking: '${steps.pay.output.booking}',
    },
  })
  .emit('tell', {
    type: 'procurement.vendor.decided',
    key: '${input.vendorId}',
    data: { route: "${steps['decide-route'].output.route}", total: '${steps.extract.output.total}' },
  })
  .output({
    value: {
      route: "${steps['decide-route'].output.route}",
      total: '${steps.extract.output.total}',
      booking: '${steps.pay.output.booking}',
      record: "${steps['file-away'].output.path}",
    },
  })
  .build();
