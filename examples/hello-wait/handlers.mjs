import { handler, serve } from '@cairn/sdk';

const worker = serve({}, [handler('greeting', (task) => `Hello, ${task.input.name}!`)]);
console.log(`ready, session ${worker.session.slice(-8)}; Ctrl-C drains and ends`);
