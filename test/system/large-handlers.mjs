// An output of as many characters as the input asks for.
import { handler, serve } from '@cairn/sdk';

const worker = serve({}, [handler('large', (task) => ({ text: 'x'.repeat(task.input.characters) }))]);
console.log(`ready, session ${worker.session.slice(-8)}`);
