// The handler process: user code for the three tasks and the effect of `workflow.ts`. It knows nothing of runs, waits, retries or crashes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { handler, serve, z } from '@cairn/sdk';
import { ask } from './asking.js';
import { paragraphsOf } from './paragraphs.js';
import type { Findings } from './reading.js';

const documents = fileURLToPath(new URL('../documents/', import.meta.url));
/** Where `file-away` puts its records. */
const filed = process.env['FILED_TO'] ?? './filed';
/** The two services outside: who reads, and who pays. */
const readerUrl = process.env['READER_URL'] ?? 'http://127.0.0.1:4501';
const paymentsUrl = process.env['PAYMENTS_URL'] ?? 'http://127.0.0.1:4502';
const say = (line: string): void => console.log(line);

const Extracted = z.object({
  file: z.string(),
  paragraphs: z.number().int(),
  amounts: z.array(z.number()),
  total: z.number(),
  dates: z.array(z.string()),
  tone: z.number(),
});

/**
 * Has the document read paragraph by paragraph. The pause between them is declared in the workflow (`params`), not hidden here. What
 * the reading service refuses is handed on as it was said, with its headers: the retry policy knows what to make of it, not this code.
 */
const extraction = handler('extraction', { input: z.object({ file: z.string() }), output: Extracted }, async (task) => {
  const { pauseMs } = task.params as { pauseMs: number };
  // A name from an event must not lead out of the folder.
  const file = basename(task.input.file);
  let paragraphs: readonly string[];
  try {
    paragraphs = paragraphsOf(readFileSync(join(documents, file), 'utf8'));
  } catch (error) {
    throw task.failure({ bucket: 'not_found', message: `no document ${file}`, sideEffect: 'none', details: { code: String(error) } });
  }
  say(`extract ${file}: attempt ${task.attempt}, ${paragraphs.length} paragraphs, ${pauseMs} ms pause after each`);
  const findings: Findings[] = [];
  for (const [index, paragraph] of paragraphs.entries()) {
    const answer = await ask(`${readerUrl}/read`, { text: paragraph }, { signal: task.signal });
    if (!answer.ok) throw task.failure({ ...answer.failure, sideEffect: 'none' });
    const found = answer.body as Findings;
    findings.push(found);
    say(
      `extract ${file}: paragraph ${index + 1} of ${paragraphs.length}${found.amounts.length > 0 ? `, $${found.amounts.join(', $')}` : ''}`,
    );
    await task.progress(`${index + 1} of ${paragraphs.length} paragraphs`);
    await pause(pauseMs, undefined, { signal: task.signal });
  }
  const amounts = findings.flatMap((found) => found.amounts);
  const tones = findings.map(({ sentiment }) => sentiment);
  say(`extract ${file}: done`);
  return task.result(
    {
      file,
      paragraphs: paragraphs.length,
      amounts,
      total: amounts.reduce((sum, amount) => sum + amount, 0),
      dates: [...new Set(findings.flatMap((found) => found.dates))],
      tone: Math.round((tones.reduce((sum, tone) => sum + tone, 0) / tones.length) * 100) / 100,
    },
    { evidence: file, uncertainty: 0.2 },
  );
});

/** Below the limit and in a friendly tone the offer goes straight through. */
const routing = handler('routing', { input: z.object({ total: z.number(), tone: z.number(), limitUsd: z.number() }) }, ({ input }) => {
  const { total, tone, limitUsd } = input;
  const route = total <= limitUsd && tone >= 0 ? 'standard' : 'senior-buyer';
  const because = `$${total} of $${limitUsd}, tone ${tone}`;
  say(`decide-route: ${route} (${because})`);
  return { route, because };
});

/** Books the deposit. The key makes the target book once, however often this runs: it is sent as it came. */
const payment = handler('payments', { input: z.object({ vendor: z.string(), amountUsd: z.number() }) }, async (task) => {
  const key = task.effect?.key ?? '';
  say(`pay: attempt ${task.attempt}, $${task.input.amountUsd} under key ${key}`);
  const answer = await ask(`${paymentsUrl}/bookings`, task.input, { signal: task.signal, idempotencyKey: key });
  // A refusal is an answer: nothing was booked. No answer at all says nothing, and is thrown as it comes.
  if (!answer.ok) throw task.failure({ ...answer.failure, sideEffect: 'none' });
  say(`pay: ${JSON.stringify(answer.body)}`);
  return answer.body as { booking: string; replayed: boolean };
});

/** Writes one record a run. Done twice it writes the same file again. */
const filing = handler('filing', (task) => {
  mkdirSync(filed, { recursive: true });
  const path = join(filed, `${task.run}.json`);
  writeFileSync(path, JSON.stringify(task.input, null, 2));
  say(`file-away: ${path}`);
  return { path };
});

const worker = serve({ name: 'documents' }, [extraction, routing, payment, filing]);
say(`ready, session ${worker.session.slice(-8)}`);
