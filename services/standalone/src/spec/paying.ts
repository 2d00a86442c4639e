/** Screens, pays once, files: whoever goes back behind the screening leaves a payment behind. */
export const paying = {
  cairn: 1,
  name: 'paying',
  version: '1.0.0',
  steps: [
    { id: 'screen', task: { queue: 'screening' }, params: { list: 'old' } },
    {
      id: 'pay',
      effect: { queue: 'payments', key: 'payment-${run.key}', guarantee: 'idempotent' },
      purpose: 'the vendor gets the money',
      input: { risk: '${steps.screen.output.risk}' },
    },
    { id: 'file', task: { queue: 'filing' }, input: { booking: '${steps.pay.output.booking}' } },
  ],
};
