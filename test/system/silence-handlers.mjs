// Says a line when it has been given so many steps: `at 100`, `at 1100`.
import { handler, serve } from '@cairn/sdk';

const marks = process.argv.slice(2).map(Number);
let steps = 0;
const count = handler('silence', () => {
  steps += 1;
  if (marks.includes(steps)) console.log(`at ${steps}`);
  return { steps };
});

serve({}, [count]);
console.log('ready');
