// A task that fails once and an effect that must be claimed, for the stack behind permissions.
import { handler, serve } from '@cairn/sdk';

const worker = serve({}, [
  handler('flaky', (task) => {
    if (task.attempt === 1) throw Object.assign(new Error('the line broke'), { code: 'ECONNRESET' });
    return { attempt: task.attempt, text: 'x'.repeat(task.input.characters) };
  }),
  handler('booking', (task) => ({ booked: task.effect.key })),
]);
console.log(`ready, session ${worker.session.slice(-8)}`);
