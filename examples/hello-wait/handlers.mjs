import { handler, serve } from '@cairn/sdk';

serve({}, [handler('greeting', (task) => `Hello, ${task.input.name}!`)]);
