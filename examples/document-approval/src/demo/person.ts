import { createInterface, type Interface } from 'node:readline/promises';
import { say } from './stage.js';

/** What was decided of the deposit, as `cairn review decide` takes it. */
export interface Decision {
  readonly verdict: 'approve' | 'edit' | 'reject';
  readonly edits: readonly string[];
  readonly reason: string;
}

export const lowered = (amountUsd: number, reason: string): Decision => ({
  verdict: 'edit',
  edits: ['--edits', JSON.stringify([{ op: 'replace', path: '/amountUsd', value: amountUsd }])],
  reason,
});

/** Nine digits before the point: more is no deposit, and a number beyond what JSON can say would be none at all. */
const USD = /^\$?(\d{1,9}(?:\.\d{1,2})?)$/;

/** Dollars as people write them, with cents or without; `undefined`: no amount that could be paid. */
export function usdOf(text: string): number | undefined {
  const usd = Number(USD.exec(text)?.[1] ?? 0);
  return usd > 0 ? usd : undefined;
}

let terminal: Interface | undefined;

/** Asks the person at the terminal, until the answer can be taken. A terminal that is closed is an error: pending is not denied. */
export async function askPerson(proposedUsd: number): Promise<Decision> {
  say(`It is your decision. The proposal is to pay $${proposedUsd}.`);
  for (;;) {
    const answer = await line('approve, edit <amount in dollars>, or reject: ');
    const [verdict, amount = ''] = answer.trim().split(/\s+/);
    const usd = usdOf(amount);
    if (verdict === 'edit' && usd !== undefined) return lowered(usd, (await line('reason: ')) || 'lowered');
    if (verdict === 'approve' || verdict === 'reject') return { verdict, edits: [], reason: (await line('reason: ')) || verdict };
    say(`not understood: ${answer}`);
  }
}

/** The terminal is given back, so that the story can end. */
export function closeTerminal(): void {
  terminal?.close();
}

/** Lines that nobody has asked for yet, since what is piped in comes at once. */
const typed: string[] = [];
const asking: ((line: string | undefined) => void)[] = [];
let closed = false;

async function line(question: string): Promise<string> {
  if (terminal === undefined) {
    terminal = createInterface({ input: process.stdin });
    terminal.on('line', (text) => {
      const next = asking.shift();
      if (next === undefined) typed.push(text);
      else next(text);
    });
    terminal.on('close', () => {
      closed = true;
      for (const next of asking.splice(0)) next(undefined);
    });
  }
  process.stdout.write(question);
  const answer = typed.shift() ?? (closed ? undefined : await new Promise<string | undefined>((resolve) => asking.push(resolve)));
  if (answer === undefined) throw new Error('the terminal was closed before the review was decided; it stays open');
  return answer;
}
