// The handler process: user code for the tasks and the effect of `workflow.ts`. It knows nothing of runs, waits, retries or crashes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { handler, serve, z, type StepResult, type Task } from '@cairn/sdk';
import { ask } from './asking.js';
import { paragraphsOf } from './paragraphs.js';
import { read, type Findings } from './reading.js';
import { isListed } from './sanctions.js';

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

/** Reads one paragraph. */
type Reader = (paragraph: string) => Promise<Findings>;

/** Has the document read paragraph by paragraph. The pause between them is declared in the workflow (`params`), not hidden here. */
async function extract(task: Task<{ file: string }>, readParagraph: Reader): Promise<StepResult<z.infer<typeof Extracted>>> {
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
    const found = await readParagraph(paragraph);
    findings.push(found);
    say(
      `extract ${file}: paragraph ${index + 1} of ${paragraphs.length}${found.amounts.length > 0 ? `, $${found.amounts.join(', $')}` : ''}`,
    );
    await task.progress(`${index + 1} of ${paragraphs.length} paragraphs`);
    if (pauseMs > 0) await pause(pauseMs, undefined, { signal: task.signal });
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
}

const Document = z.object({ file: z.string() });

/**
 * The reading service reads. What it refuses is handed on as it was said, with its headers: the retry policy knows what to make of it,
 * not this code.
 */
const extraction = handler('extraction', { input: Document, output: Extracted }, (task) =>
  extract(task, async (text) => {
    const answer = await ask(`${readerUrl}/read`, { text }, { signal: task.signal });
    if (!answer.ok) throw task.failure({ ...answer.failure, sideEffect: 'none' });
    return answer.body as Findings;
  }),
);

/** The declared alternative: the same model, read here. */
const ownExtraction = handler('extraction-b', { input: Document, output: Extracted }, (task) =>
  extract(task, (text) => Promise.resolve(read(text))),
);

/** Looks the vendor up in the sanctions list that the step's params name. */
const screening = handler('screening', { input: z.object({ vendor: z.string() }) }, (task) => {
  const { list } = task.params as { list: string };
  const listed = isListed(task.input.vendor, list);
  if (listed === undefined) throw task.failure({ bucket: 'not_found', message: `no sanctions list of ${list}`, sideEffect: 'none' });
  say(`screen: ${task.input.vendor} ${listed ? 'stands' : 'does not stand'} on the list of ${list}`);
  return { list, listed };
});

/** Below the limit, unlisted and in a friendly tone the offer goes straight through. */
const Routable = z.object({ total: z.number(), tone: z.number(), listed: z.boolean(), limitUsd: z.number() });
const routing = handler('routing', { input: Routable }, ({ input }) => {
  const { total, tone, listed, limitUsd } = input;
  const route = listed ? 'compliance' : total <= limitUsd && tone >= 0 ? 'standard' : 'senior-buyer';
  const because = `$${total} of $${limitUsd}, tone ${tone}${listed ? ', on the sanctions list' : ''}`;
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

const worker = serve({ name: 'documents' }, [extraction, ownExtraction, screening, routing, payment, filing]);
say(`ready, session ${worker.session.slice(-8)}`);
