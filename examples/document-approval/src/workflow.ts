import { workflow, z } from '@cairn/sdk';

/**
 * A vendor is asked for an offer; when it arrives it is read, its vendor screened, the offer routed and, over the limit, approved by a person;
 * then its deposit is paid, the record filed, and the world is told.
 * Nothing here says what happens when a process dies: the answer is the same for every line.
 */
export default workflow('document-approval', {
  version: '1.0.0',
  class: 'long',
  goal: 'The offer of vendor ${input.vendorId} is read, screened, routed, paid for and filed',
  retry: 'documents',
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
    // When the reading service is gone for good, the model in the handler itself reads: not as well kept, but there.
    fallback: [{ queue: 'extraction-b', params: { pauseMs: 0 } }],
  })
  .task('screen', {
    after: ['extract'],
    queue: 'screening',
    input: { vendor: '${input.vendorId}' },
    // Which sanctions list: a knob, so that a branch may turn it.
    params: { list: '2026-11-01' },
  })
  // Beside each other: the decision, and a second of waiting.
  .task('decide-route', {
    after: ['screen'],
    queue: 'routing',
    input: {
      total: '${steps.extract.output.total}',
      tone: '${steps.extract.output.tone}',
      listed: '${steps.screen.output.listed}',
      limitUsd: '${input.limitUsd}',
    },
  })
  .wait('cool-off', { after: ['screen'], any: [{ timer: '1s' }], noDeadline: { because: 'a timer always comes' } })
  // Whoever approves sees exactly what would be paid, and may lower it.
  .review('approve', {
    after: ['decide-route', 'cool-off'],
    when: "steps['decide-route'].output.route != 'standard'",
    queue: 'purchasing',
    question: "Pay the deposit of an offer over $${steps.extract.output.total}? ${steps['decide-route'].output.because}",
    authorises: ['pay'],
    editable: ['/amountUsd'],
    deadline: '2d',
    onDeadline: 'block',
  })
  // The world outside changes once, whoever dies: the intent stands in the history before the task leaves, and the target honours the key.
  .effect('pay', {
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
