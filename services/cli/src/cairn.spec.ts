import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { idOf } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { cairn } from './cairn.js';

// The command line against a server in miniature: exit codes, what is printed where, what is asked of the server.

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly token: string | undefined;
  readonly lastEventId: string | string[] | undefined;
  readonly body: unknown;
}

let server: Server;
let url: string;
let asked: Asked[] = [];
/** `METHOD path` (below the namespace) to its answer. */
let answers: Record<string, { readonly status?: number; readonly body: unknown }> = {};

beforeAll(async () => {
  const used = new WeakSet<Socket>();
  server = createServer((request, response) => {
    // As a server does that closes a connection for being idle at the moment in which it is used again: no command may depend on that.
    if (used.has(request.socket)) return void request.socket.destroy();
    used.add(request.socket);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = (request.url ?? '').replace('/v1/default/', '');
      const text = Buffer.concat(chunks).toString();
      asked.push({
        method: request.method ?? '',
        path,
        token: request.headers.authorization,
        lastEventId: request.headers['last-event-id'],
        body: text === '' ? undefined : JSON.parse(text),
      });
      const { status = 200, body } = answers[`${request.method} ${path}`] ?? {
        status: 404,
        body: { code: 'route_not_found', detail: 'No such route.' },
      };
      response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/event-stream' : 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  answers = {};
});

async function run(args: readonly string[], { stdin = '', env = {} }: { stdin?: string; env?: NodeJS.ProcessEnv } = {}) {
  let out = '';
  let err = '';
  const code = await cairn(args, {
    env: { CAIRN_URL: url, CAIRN_TOKEN: 'secret', ...env },
    tty: false,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: () => stdin,
  });
  return { code, out, err, json: (): unknown => JSON.parse(out) };
}

const RUN = idOf('run', 'default', 'w', 'k');
const receipt = {
  receiptId: idOf('receipt', 'default', '/s', '1'),
  source: '/s',
  id: '1',
  type: 'a.b',
  at: '2026-11-24T10:00:00.000Z',
  outcome: 'woke',
  count: 1,
  runs: [{ run: RUN, wait: 'document' }],
  nearMisses: [],
};
const view = {
  run: RUN,
  workflow: 'w',
  version: '1.0.0',
  goal: null,
  state: 'waiting',
  head: 'main',
  revision: 7,
  since: '2026-11-24T10:00:00.000Z',
  startedAt: '2026-11-24T10:00:00.000Z',
  attributes: {},
  flags: ['stale'],
};

it.each(['--version', '-V'])('%s says the version', async (option) => {
  expect(await run([option])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: '' });
});

describe('usage (exit 2)', () => {
  it.each([
    [['rnu', 'list'], 'Did you mean run?'],
    [['run', 'lst'], 'Did you mean list?'],
    [['run', 'list', '--stat', 'x'], 'Did you mean --state?'],
    [['run', 'show'], "Missing required argument 'run'"],
    [['run', 'pause'], "Missing required argument 'run'"],
    [['wy', RUN], 'Did you mean why?'],
    [['effect', 'show', RUN], "Missing required argument 'key'"],
    [['run', 'show', 'abc'], "'abc' is neither the id of a run nor the last 6 or more characters"],
    [['run', 'state', RUN, '--at', '17'], "--at: '17' is no place in a history"],
    [['run', 'start', 'w', '--input', '{bad'], '--input is not JSON'],
    [['run', 'start', 'w', '--input', '@/nowhere/x.json'], 'cannot read /nowhere/x.json (ENOENT)'],
    [['event', 'send'], 'An event has a type'],
    [['event', 'send', 'x.json', '--type', 'a'], 'leave out --type'],
    [['event', 'show'], 'Give a receipt, or both --source and --id.'],
    [['def', 'lint', 'a.txt'], 'a definition is a .yaml'],
    [['dev', '--port', '70000'], 'A port is a whole number'],
  ])('%j', async (args, says) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(says);
    expect(asked).toEqual([]);
  });

  it('is a problem document on standard output with --json', async () => {
    const { code, json, err } = await run(['run', 'lst', '--json']);
    expect(code).toBe(2);
    expect(err).toBe('');
    expect(json()).toMatchObject({ code: 'usage', status: 400, type: 'https://cairn.dev/problems/usage' });
  });

  it('shows what there is to whoever asks for nothing, with exit 0', async () => {
    const { code, out, err } = await run([]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('Usage: cairn');
    expect(out).toContain('why [options] <run>');
  });

  it.each(['run', 'retry', 'effect', 'policy', 'wait', 'event', 'def'])('%s without a verb shows its help, with exit 2', async (noun) => {
    const { code, out, err } = await run([noun]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`Usage: cairn ${noun}`);
    const machine = await run([noun, '--json']);
    expect(machine).toMatchObject({ code: 2, err: '' });
    expect(machine.json()).toMatchObject({ code: 'usage', status: 400, detail: expect.stringContaining(`cairn ${noun} needs a verb: `) });
  });

  it('never shows what the parser says to itself', async () => {
    for (const args of [[], ['--json'], ['--ns', 'acme'], ['--ns', 'acme', 'run'], ['run', '--ns', 'acme']]) {
      const { code, out, err } = await run(args);
      expect(out + err).not.toContain('(outputHelp)');
      expect(code).toBe(args.length === 0 ? 0 : 2);
    }
    expect((await run(['--json'])).json()).toMatchObject({ code: 'usage', detail: expect.stringContaining('why') });
  });

  it('shows help with exit 0', async () => {
    const { code, out } = await run(['run', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('verify [options] <run|bundle>');
  });
});

describe('answers of the server', () => {
  it.each([
    [400, 'invalid_query', 2],
    [404, 'run_not_found', 3],
    [409, 'run_ended', 4],
    [422, 'input_invalid', 1],
    [503, 'service_unavailable', 5],
  ])('%i %s ends with its code and prints sentence and fields', async (status, problemCode, exit) => {
    answers[`GET runs/${RUN}`] = {
      status,
      body: {
        type: 'x',
        title: 'X',
        status,
        code: problemCode,
        detail: 'It cannot be.',
        errors: [{ pointer: '/a', rule: 'required', says: 'must be\u001b[31m given' }],
      },
    };
    const people = await run(['run', 'show', RUN]);
    expect(people.code).toBe(exit);
    expect(people.out).toBe('');
    expect(people.err).toBe('cairn: It cannot be.\n  /a  must be·[31m given  [required]\n');
    const machine = await run(['run', 'show', RUN, '--json']);
    expect(machine.code).toBe(exit);
    expect(machine.json()).toMatchObject({ code: problemCode, errors: [{ pointer: '/a' }] });
  });

  it('ends with 5 when nobody answers, and says what to do', async () => {
    const { code, err } = await run(['run', 'list'], { env: { CAIRN_URL: 'http://127.0.0.1:1' } });
    expect(code).toBe(5);
    expect(err).toContain('No server answers at http://127.0.0.1:1 (ECONNREFUSED).');
    expect(err).toContain('npx cairn dev');
  });

  it('run list hands every filter on, and says what is no attribute', async () => {
    answers['GET runs?state=complete&sub=reduced&cause=reduced_scope&olderThan=2h&stale=true&attr.team=a%3Db'] = { body: { items: [] } };
    const filters = ['--state', 'complete', '--sub', 'reduced', '--cause', 'reduced_scope', '--older-than', '2h', '--stale'];
    expect(await run(['run', 'list', ...filters, '--attr', 'team=a=b', '--json'])).toMatchObject({ code: 0 });
    expect(await run(['run', 'list', '--attr', 'team'])).toMatchObject({ code: 2, err: expect.stringContaining('--attr team') });
  });

  it('finds server and token by --data, which may stand before the noun', async () => {
    const data = mkdtempSync(join(tmpdir(), 'cairn-cli-'));
    writeFileSync(join(data, 'server.json'), JSON.stringify({ url, pid: 1, ns: 'default' }));
    writeFileSync(join(data, 'token'), 'from-file\n');
    answers['POST events'] = { status: 202, body: receipt };
    answers[`GET runs/${RUN}`] = { body: view };
    const env = { CAIRN_URL: '', CAIRN_TOKEN: '' };
    expect((await run(['--data', data, 'event', 'send', '--type', 'a.b', '--data', '{"n":1}'], { env })).code).toBe(0);
    expect((await run(['run', 'show', RUN, '--data', data], { env })).code).toBe(0);
    expect(asked.map(({ token }) => token)).toEqual(['Bearer from-file', 'Bearer from-file']);
    expect(asked[0]?.body).toMatchObject({ data: { n: 1 } });
  });
});

describe('ids by their tail', () => {
  const end = RUN.slice(-8);
  const other = `${RUN.slice(0, 10)}zzzzzzzz${end}`;

  it('finds the one run that ends so', async () => {
    answers[`GET runs?tail=${end}`] = { body: { items: [view] } };
    answers[`GET runs/${RUN}`] = { body: view };
    const { code, out } = await run(['run', 'show', end.toUpperCase()]);
    expect(code).toBe(0);
    expect(out).toContain('waiting for');
    expect(out).toContain('stale');
  });

  it('ends with 3 for none and 2, with the candidates, for several', async () => {
    answers[`GET runs?tail=${end}`] = { body: { items: [] } };
    expect((await run(['run', 'show', end])).code).toBe(3);
    answers[`GET runs?tail=${end}`] = { body: { items: [view, { ...view, run: other, state: 'complete' }] } };
    const { code, err } = await run(['run', 'show', end]);
    expect(code).toBe(2);
    expect(err).toContain(`2 runs end in ${end}`);
    expect(err).toContain(RUN);
    expect(err).toContain('w, complete');
  });
});

describe('commands', () => {
  it('event send: by parts, from a file, from standard input', async () => {
    answers['POST events'] = {
      status: 202,
      body: {
        ...receipt,
        outcome: 'near_miss',
        runs: [],
        nearMisses: [{ run: RUN, wait: 'document', clause: 'key', expected: 'V-1042', got: 'V-1024' }],
      },
    };
    const { code, out } = await run(['event', 'send', '--type', 'a.b', '--key', 'V-1024', '--data', '{"kind":"W8"}']);
    expect(code).toBe(0);
    expect(out).toContain('near miss: key: expected "V-1042", got "V-1024"');
    expect(asked[0]?.body).toMatchObject({
      specversion: '1.0',
      type: 'a.b',
      source: '/cairn/cli',
      cairnkey: 'V-1024',
      data: { kind: 'W8' },
    });
    const whole = { specversion: '1.0', id: '1', source: '/s', type: 'a.b' };
    const file = join(mkdtempSync(join(tmpdir(), 'cairn-cli-')), 'event.json');
    writeFileSync(file, JSON.stringify(whole));
    await run(['event', 'send', file]);
    await run(['event', 'send', '-'], { stdin: JSON.stringify(whole) });
    expect(asked.slice(1).map(({ body }) => body)).toEqual([whole, whole]);
  });

  it('run start --wait: follows the run to its end; its outcome is the exit code', async () => {
    answers['POST workflows/w/runs'] = { status: 202, body: { runId: RUN, receiptId: receipt.receiptId, outcome: 'started' } };
    answers[`GET runs/${RUN}/result?waitMs=2000`] = { body: { run: RUN, state: 'complete', outcome: 'failed', message: 'no document' } };
    const failed = await run(['run', 'start', 'w', '--key', 'k', '--input', '{"n":1}', '--wait']);
    expect(failed.code).toBe(1);
    expect(failed.out).toContain('no document');
    expect(asked[0]?.body).toEqual({ key: 'k', input: { n: 1 } });
    answers[`GET runs/${RUN}/result?waitMs=2000`] = { body: { run: RUN, state: 'complete', outcome: 'succeeded', output: 7 } };
    const succeeded = await run(['run', 'start', 'w', '--wait', '--json']);
    expect(succeeded.code).toBe(0);
    expect(succeeded.json()).toMatchObject({ output: 7 });
  });

  it('run start: what is accepted and not made yet is said with what to look at; --wait waits for it', async () => {
    const pending = { runId: RUN, receiptId: receipt.receiptId, outcome: 'pending' };
    answers['POST workflows/w/runs'] = { status: 202, body: pending };
    const { code, out } = await run(['run', 'start', 'w']);
    expect(code).toBe(0);
    expect(out).toContain(`look with npx cairn event show ${receipt.receiptId}`);
    expect(out).toContain('npx cairn doctor');
    expect((await run(['run', 'start', 'w', '--json'])).json()).toEqual(pending);

    answers[`GET runs/${RUN}/result?waitMs=2000`] = { body: { run: RUN, state: 'complete', outcome: 'succeeded', output: 7 } };
    const waiting = run(['run', 'start', 'w', '--wait']);
    const place = `events/${receipt.receiptId}`;
    await waitUntil('the event is asked for, which is not there yet', () => asked.some(({ path }) => path === place));
    expect(asked.some(({ path }) => path.includes('result'))).toBe(false);
    answers[`GET ${place}`] = { body: { ...receipt, outcome: 'started' } };
    expect(await waiting).toMatchObject({ code: 0, out: expect.stringContaining('succeeded') });
    const problem = { code: 'workflow_not_found', detail: 'there is no workflow w' };
    answers[`GET ${place}`] = { body: { ...receipt, outcome: 'refused', problem } };
    expect(await run(['run', 'start', 'w', '--wait'])).toMatchObject({ code: 3, err: expect.stringContaining('there is no workflow w') });
  });

  it('run start --wait: says once of each time that the run is blocked, and goes on waiting', async () => {
    answers['POST workflows/w/runs'] = { status: 202, body: { runId: RUN, receiptId: receipt.receiptId, outcome: 'started' } };
    const result = `GET runs/${RUN}/result?waitMs=2000`;
    const polls = (): number => asked.filter(({ path }) => path.includes('result')).length;
    const forThreePolls = async (): Promise<void> => {
      const before = polls();
      await waitUntil('it was asked three times more', () => polls() >= before + 3);
    };
    answers[result] = { body: { run: RUN, state: 'blocked' } };
    answers[`GET runs/${RUN}`] = { body: { ...view, state: 'blocked', sub: 'paused' } };
    const waiting = run(['run', 'start', 'w', '--wait', '--ns', 'default']);
    await forThreePolls();
    answers[`GET runs/${RUN}`] = { body: { ...view, state: 'blocked', sub: 'awaiting_decision' } };
    await forThreePolls();
    answers[result] = { body: { run: RUN, state: 'complete', outcome: 'cancelled' } };
    const { code, err } = await waiting;
    expect(code).toBe(1);
    const why = `run ${RUN.slice(-8)}: npx cairn why ${RUN.slice(-8)}`;
    expect(err.split('\n').slice(1)).toEqual([`blocked(paused) ${why}`, `blocked(awaiting_decision) ${why}`, '']);
  });

  it('--print-event: every verb that changes a run shows the event that asks for the same, and asks nothing', async () => {
    const wait = {
      wait: idOf('wait', RUN, 'w'),
      run: RUN,
      step: 'papers',
      state: 'open',
      mode: 'any',
      triggers: [{ kind: 'callback', name: 'x' }],
      got: [],
    };
    answers[`GET runs/${RUN}`] = { body: view };
    answers[`GET waits/${wait.wait}`] = { body: wait };
    const printed = async (...args: string[]): Promise<{ subject: string; event: { type: string; data?: unknown } }> => {
      const { code, out } = await run([...args, '--print-event', '--json']);
      expect(code).toBe(0);
      return JSON.parse(out) as never;
    };
    const of = (subject: string, type: string, data: unknown): unknown => ({ subject, event: expect.objectContaining({ type, data }) });
    expect(await printed('run', 'start', 'w', '--key', 'k', '--input', '{"n":1}')).toEqual(
      of('cairn.<ns>.run.start.w', 'cairn.run.start.v1', { key: 'k', input: { n: 1 } }),
    );
    expect(await printed('run', 'signal', RUN, 'go', '--data', '[1]')).toEqual(
      of(`cairn.<ns>.run.${RUN}.signal.go`, 'cairn.run.signal.v1', [1]),
    );
    expect((await printed('run', 'signal', RUN, 'go')).event).not.toHaveProperty('data');
    expect(await printed('run', 'pause', RUN, '--reason', 'lunch')).toEqual(
      of(`cairn.<ns>.run.${RUN}.pause`, 'cairn.run.pause.v1', { reason: 'lunch' }),
    );
    expect(await printed('event', 'send', '--type', 'a.b.v2', '--data', '1')).toEqual(of('cairn.<ns>.in.a.b', 'a.b.v2', 1));
    const override = {
      from: { branch: 'main', at: 7 },
      cause: 'override',
      reason: 'by fax',
      changes: [{ op: 'add', path: '/outputs/papers', value: { trigger: 0, data: 2, at: expect.any(String) } }],
      expectHead: 'main@7',
    };
    const fire = ['wait', 'fire', wait.wait, '--reason', 'by fax', '--data', '2'];
    expect(await printed(...fire)).toEqual(of(`cairn.<ns>.run.${RUN}.branch.open`, 'cairn.branch.open.v1', override));
    answers[`GET waits/${wait.wait}`] = { body: { ...wait, keepOpen: true } };
    expect(await printed(...fire)).toMatchObject({ event: { data: { changes: [{ value: [{ data: 2 }] }] } } });
    answers[`GET waits/${wait.wait}`] = { body: { ...wait, state: 'satisfied' } };
    expect(await run([...fire, '--print-event'])).toMatchObject({ code: 4, err: expect.stringContaining('waits for nothing') });
    expect(await run([...fire, '--print-event', '--trigger', '1'])).toMatchObject({ code: 4 });
    expect(asked.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('run start: where the policy is missing, the next command is the one that applies it', async () => {
    answers['POST workflows/w/runs'] = { status: 404, body: { code: 'policy_not_found', detail: 'there is no policy calm' } };
    const { code, err } = await run(['run', 'start', 'w']);
    expect({ code, err }).toEqual({ code: 3, err: 'cairn: there is no policy calm\n  next: npx cairn policy apply <file>\n' });
  });

  const stored = (revision: number, type: string, data: object): object => ({
    stream: `run-${RUN}+main`,
    revision,
    type,
    version: 1,
    data,
    metadata: { at: '2026-11-24T10:00:00.000Z' },
  });

  it('run watch: prints each event once until the end, going on after the last when a stream breaks', async () => {
    const message = (event: object): string =>
      `id: ${(event as { revision: number }).revision}\nevent: stored\ndata: ${JSON.stringify(event)}\n\n`;
    const step = stored(0, 'StepSucceeded', { step: 'extract', attemptId: 'x', output: { a: 1 } });
    answers[`GET runs/${RUN}/stream`] = { body: `: hello\n\n${message(step)}${message(step)}` };
    answers[`GET runs/${RUN}/result`] = { body: { run: RUN, state: 'active' } };
    const watching = run(['run', 'watch', RUN, '--json']);
    await waitUntil('the stream broke, and it goes on', () => asked.length >= 3);
    answers[`GET runs/${RUN}/stream`] = { body: message(step) + message(stored(1, 'RunCompleted', { outcome: 'succeeded', output: 1 })) };
    const { code, out } = await watching;
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { revision: number }).revision),
    ).toEqual([0, 1]);
    answers[`GET runs/${RUN}/stream`] = { body: message(stored(0, 'RunFailed', { bucket: 'billing', message: 'no money' })) };
    const failed = await run(['run', 'watch', RUN]);
    expect(failed.code).toBe(1);
    expect(failed.out).toContain('billing: no money');
    answers[`GET runs/${RUN}/stream?from=9`] = { body: '' };
    answers[`GET runs/${RUN}/result`] = { body: { run: RUN, state: 'complete', outcome: 'succeeded' } };
    expect(await run(['run', 'watch', RUN, '--from', '9'])).toMatchObject({ code: 0, out: '' });
    expect((await run(['run', 'watch', RUN, '--from', 'b2@'])).code).toBe(2);
  });

  it('run watch: goes on from branch to branch, with the ids that the stream gave, and ends with what ended the run last', async () => {
    const message = (id: string, event: object): string => `id: ${id}\nevent: stored\ndata: ${JSON.stringify(event)}\n\n`;
    const onB2 = (revision: number, type: string, data: object): object => ({ ...stored(revision, type, data), stream: `run-${RUN}+b2` });
    const failed = message('0', stored(0, 'RunFailed', { bucket: 'billing', message: 'no money' }));
    const recovered = message('1', stored(1, 'BranchSuperseded', { successor: 'b2', spec: { cause: 'correction', reason: 'paid' } }));
    const goesOn = message('b2@0', onB2(0, 'StepSucceeded', { step: 'a', output: 1 }));
    answers[`GET runs/${RUN}/stream`] = { body: failed + recovered + goesOn };
    answers[`GET runs/${RUN}/result`] = { body: { run: RUN, state: 'active' } };
    const watching = run(['run', 'watch', RUN]);
    await waitUntil('the stream broke, and it goes on', () => asked.length >= 3);
    expect(asked.filter(({ path }) => path.endsWith('/stream')).map(({ lastEventId }) => lastEventId)).toEqual([undefined, 'b2@0']);
    answers[`GET runs/${RUN}/stream`] = { body: message('b2@1', onB2(1, 'RunCompleted', { outcome: 'succeeded', output: 1 })) };
    const { code, out } = await watching;
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => line.slice(14, 22).trim()),
    ).toEqual(['main@0', 'main@1', 'b2@0', 'b2@1']);
  });

  it('run verify: a file that is no bundle is told in one line', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cairn-cli-')), 'README.md');
    writeFileSync(file, '# Cairn\n\n'.repeat(50));
    expect(await run(['run', 'verify', file])).toEqual(
      expect.objectContaining({ code: 1, out: `${file} is no bundle: line 1, the line is no JSON of UTF-8\n`, err: '' }),
    );
    expect((await run(['run', 'verify', file, '--json'])).json()).toMatchObject({ whole: false });
  });

  it('run verify: 0 whole, 1 violated', async () => {
    answers[`GET runs/${RUN}/verify`] = { body: { run: RUN, violations: [] } };
    expect(await run(['run', 'verify', RUN])).toMatchObject({ code: 0, out: expect.stringContaining('whole') });
    answers[`GET runs/${RUN}/verify`] = {
      body: { run: RUN, violations: [{ invariant: 'I-3', branch: 'main', revision: 4, says: 'the chain is broken' }] },
    };
    expect(await run(['run', 'verify', RUN])).toMatchObject({ code: 1, out: expect.stringContaining('I-3  main@4  the chain is broken') });
  });

  it('run history and state: the documents as the server gives them, or lines for people', async () => {
    const history = {
      run: RUN,
      branches: [
        {
          branch: 'main',
          events: [stored(3, 'WaitOpened', { step: 'document', triggers: [{ kind: 'event', type: 'a.b' }], deadline: null })],
        },
      ],
    };
    answers[`GET runs/${RUN}/history`] = { body: history };
    answers[`GET runs/${RUN}/state?at=main%4017`] = { body: { state: 'active' } };
    expect((await run(['run', 'history', RUN, '--json'])).json()).toEqual(history);
    expect((await run(['run', 'history', RUN])).out).toBe('10:00:00.000  main@3    WaitOpened         document for a.b\n');
    expect((await run(['run', 'state', RUN, '--as-of', 'main@17'])).out).toContain('"active"');
  });

  it('run signal and wait show', async () => {
    const WAIT = idOf('wait', RUN, 'document');
    answers[`POST runs/${RUN}/signals/go`] = { status: 202, body: receipt };
    answers[`GET waits/${WAIT}`] = {
      body: {
        wait: WAIT,
        run: RUN,
        workflow: 'w',
        branch: 'main',
        step: 'document',
        state: 'open',
        stale: false,
        mode: 'any',
        triggers: [{ kind: 'event', type: 'a.b', key: 'V-1' }],
        got: [],
        openedAt: view.since,
        deadline: null,
        staleAt: null,
        contract: { clauses: [{ id: 'trigger', says: 'a.b with key V-1' }] },
      },
    };
    expect((await run(['run', 'signal', RUN, 'go', '--data', '{"ok":true}'])).out).toContain('woke run');
    expect(asked[0]?.body).toEqual({ data: { ok: true } });
    expect((await run(['wait', 'show', WAIT])).out).toContain('a.b key V-1');
  });
});

describe('the branches of a run', () => {
  const place = (branch: string, revision: number) => ({ branch, revision });
  const mark = (kind: string, revision: number) => ({ kind, revision, name: 'x' });
  const opened = (parent: object, cause: string, actor: string, changes: readonly object[], reason = 'why not') => ({
    at: '2026-11-24T10:00:00.000Z',
    actor,
    parent,
    checkpoint: null,
    cause,
    reason,
    evidence: [],
    changes,
    effects: cause === 'what_if' ? { 'V-1': 'reuse' } : {},
  });
  const queue = { op: 'replace', path: '/steps/screen/queue', value: 'screen-b' };
  const params = { op: 'replace', path: '/steps/screen/params', value: { list: 'new\u001b[2J' } };
  const branches = [
    {
      branch: 'main',
      revision: 20,
      outcome: 'superseded',
      supersededBy: 'b2',
      failure: { step: 'screen', bucket: 'upstream_5xx', attempts: '4 of 4', message: 'no' },
      marks: [mark('checkpoint', 2), mark('success', 4), mark('failure', 18)],
    },
    {
      branch: 'b2',
      head: true,
      revision: 9,
      outcome: 'succeeded',
      opened: opened(place('main', 19), 'fallback', 'policy:http@1', [queue, params]),
      marks: [mark('success', 3), mark('checkpoint', 5), mark('success', 8)],
    },
    {
      branch: 'b3',
      shadow: true,
      revision: 4,
      outcome: 'open',
      opened: opened(place('b2', 5), 'what_if', 'user:ana', [], 'limit 40000'),
      marks: [mark('success', 3)],
    },
    { branch: 'b4', revision: -1, outcome: 'open', marks: [] },
  ].map((branch) => ({ head: false, shadow: false, epoch: 1, marksBefore: 0, ...branch }));

  it('branch tree: in three lines the original path, why it failed, and what changed', async () => {
    answers[`GET runs/${RUN}/branches`] = { body: { run: RUN, head: 'b2', state: 'complete', sub: 'succeeded', branches } };
    expect((await run(['branch', 'tree', RUN])).out).toBe(
      [
        'main  o--o--x  screen failed upstream_5xx, 4 of 4           superseded by b2',
        'b2          \\--o--o--o  fallback screen-b (policy:http@1)   HEAD  complete: succeeded',
        '      changed  /steps/screen/queue  screen-b',
        '      changed  /steps/screen/params  {"list":"new\\u001b[2J"}',
        'b3                \\~~o  what_if: limit 40000 (shadow, ana)  open',
        '      effect   V-1  reuse',
        'b4    b4 is announced and not opened yet                    open',
        '',
      ].join('\n'),
    );
  });

  it('branch tree: a long way is cut, and what grows from there still begins beneath it', async () => {
    const long = { ...branches[0], marks: Array.from({ length: 40 }, (_, i) => mark('success', i)), marksBefore: 3 };
    const beside = { ...branches[1], opened: opened(place('main', 36), 'correction', 'user:ana', [], 'old list') };
    answers[`GET runs/${RUN}/branches`] = { body: { run: RUN, head: 'b2', state: 'waiting', branches: [long, beside] } };
    const { out } = await run(['branch', 'tree', RUN]);
    const [main = '', b2 = ''] = out.split('\n');
    expect(main).toMatch(/^main {2}…--o--o--…--o--o--o--o--o {2}screen failed/);
    expect(b2).toMatch(/^b2 {19}\\--o--o--o {2}correction: old list \(ana\) +HEAD {2}waiting$/);
  });

  it('branch diff: the change set on top, then what is different; nothing for a branch and itself', async () => {
    const side = (branch: string, more: object) => ({
      branch,
      revision: 9,
      outcome: 'superseded',
      attempts: 2,
      usd: 0.5,
      seconds: 7,
      ...more,
    });
    const step = { queue: 'screen', input: {}, params: {}, attempts: 4, outcome: 'failed', usd: 0, seconds: 9.5 };
    const diff = {
      run: RUN,
      a: side('main', { failure: { step: 'screen', bucket: 'upstream_5xx', attempts: '4 of 4', message: 'away' } }),
      b: side('b2', { outcome: 'succeeded', attempts: 3, seconds: 8 }),
      ancestor: place('main', 19),
      changes: [
        {
          side: 'b',
          branch: 'b2',
          parent: place('main', 19),
          cause: 'fallback',
          reason: 'no way',
          actor: 'policy:http@1',
          changes: [queue],
          effects: {},
        },
      ],
      steps: [
        {
          step: 'screen',
          differs: ['queue', 'outcome', 'output', 'failure'],
          a: { ...step, failure: { bucket: 'upstream_5xx', code: '503', message: 'away' } },
          b: { ...step, queue: 'screen-b', outcome: 'succeeded', output: `sha256:${'a'.repeat(64)}` },
        },
        { step: 'pay', differs: ['outcome'], a: null, b: { ...step, attempts: 1, queue: 'pay', outcome: 'succeeded' } },
      ],
      same: 1,
      effects: [{ key: 'V-1', a: null, b: { status: 'confirmed', suffix: 1, fingerprint: 'f' } }],
    };
    answers[`GET runs/${RUN}/branches`] = { body: { head: 'b2' } };
    answers[`GET runs/${RUN}/branches/main...b2/diff`] = { body: diff };
    const golden = [
      'main...b2  one path up to main@19',
      'main  superseded; screen failed upstream_5xx, 4 of 4: away',
      'b2  fallback from main@19, by policy:http@1: no way',
      '    /steps/screen/queue  screen-b',
      '',
      'STEP        WHAT      main                     b2',
      'screen      queue     screen                   screen-b',
      '            outcome   failed                   succeeded',
      `            output    -                        sha256:${'a'.repeat(12)}`,
      '            failure   upstream_5xx: 503: away  -',
      'pay         there     -                        succeeded, queue pay, 1 attempt',
      'effect V-1  status    -                        confirmed #1',
      'in all      outcome   superseded               succeeded',
      '            attempts  2                        3',
      '            seconds   7                        8',
      '1 step is the same',
      '',
    ].join('\n');
    for (const named of [[], ['main'], ['main', 'b2']]) expect((await run(['branch', 'diff', RUN, ...named])).out).toBe(golden);
    expect((await run(['branch', 'diff', RUN, '--json'])).json()).toEqual(diff);
    answers[`GET runs/${RUN}/branches/b2...b2/diff`] = { body: { ...diff, a: diff.b, changes: [], steps: [], effects: [], same: 3 } };
    expect((await run(['branch', 'diff', RUN, 'b2', 'b2'])).out).toBe(
      'b2...b2  one path up to main@19\nno difference, 3 steps are the same\n',
    );
    expect(await run(['branch', 'diff', RUN, 'X'])).toMatchObject({ code: 2, err: "cairn: 'X' is no branch, such as main or b2.\n" });
  });
});

describe('why a run is where it is', () => {
  it.each([
    ['cancel', 'cancelled', view],
    ['pause', 'paused', view],
    ['unpause', 'unpaused', { ...view, state: 'blocked', sub: 'paused' }],
  ])('run %s: asks once, with the reason, and says what was done', async (verb, done, before) => {
    const body = { ...receipt, outcome: 'attached', runs: [{ run: RUN }] };
    answers[`POST runs/${RUN}:${verb}`] = { status: 202, body };
    answers[`GET runs/${RUN}`] = { body: before };
    const people = await run(['run', verb, RUN, '--reason', 'month end']);
    expect(people).toMatchObject({ code: 0, out: `${done} run ${RUN.slice(-8)}\n  receipt ${receipt.receiptId}\n` });
    expect((await run(['run', verb, RUN, '--json'])).json()).toEqual(body);
    expect(asked.filter(({ method }) => method === 'POST').map((one) => one.body)).toEqual([{ reason: 'month end' }, {}]);
    answers[`POST runs/${RUN}:${verb}`] = { status: 202, body: { ...body, outcome: 'pending' } };
    expect((await run(['run', verb, RUN])).out).toContain(`accepted, and not ${done} yet`);
    answers[`POST runs/${RUN}:${verb}`] = { status: 409, body: { code: 'run_ended', detail: 'The run has ended.' } };
    expect(await run(['run', verb, RUN])).toMatchObject({ code: 4, err: 'cairn: The run has ended.\n' });
  });

  it.each([
    ['cancel', { ...view, state: 'complete', sub: 'cancelled' }, 'already cancelled run'],
    ['pause', { ...view, state: 'blocked', sub: 'paused' }, 'already paused run'],
    ['unpause', view, 'already going on, not paused: run'],
  ])('run %s of what is so already asks all the same, and says so', async (verb, before, says) => {
    const body = { ...receipt, outcome: 'attached', runs: [{ run: RUN }] };
    answers[`POST runs/${RUN}:${verb}`] = { status: 202, body };
    answers[`GET runs/${RUN}`] = { body: before };
    expect(await run(['run', verb, RUN])).toMatchObject({ code: 0, out: expect.stringContaining(`${says} ${RUN.slice(-8)}\n`) });
    expect((await run(['run', verb, RUN, '--json'])).json()).toEqual(body);
  });

  it('why: the sentence, the next command, and whatever else is open', async () => {
    const because = [
      { kind: 'paused', says: 'The run is paused by user:local.', next: 'npx cairn run unpause x' },
      { kind: 'with_handler', says: 'Handler h/1\u001b has step a.', next: 'npx cairn run watch x' },
    ];
    const body = { run: RUN, state: 'blocked', sub: 'paused', since: view.since, says: because[0]?.says, next: because[0]?.next, because };
    answers[`GET runs/${RUN}/why`] = { body };
    const { code, out } = await run(['why', RUN]);
    expect(code).toBe(0);
    expect(out.split('\n').slice(1)).toEqual([
      '  The run is paused by user:local.',
      '  next  npx cairn run unpause x',
      '  Handler h/1· has step a.',
      '  next  npx cairn run watch x',
      '',
    ]);
    expect(out).toMatch(/^blocked\(paused\) for .+ {2}run \w{8}\n/);
    expect((await run(['why', RUN, '--json'])).json()).toEqual(body);
  });

  const failure = {
    step: 'ask',
    attempt: 1,
    attemptId: idOf('attempt', 'x'),
    branch: 'main',
    revision: 7,
    failedAt: '2026-11-24T10:00:03.000Z',
    failure: { by: 'handler', code: '429', message: 'slow down', sideEffect: 'none' },
    decided: {
      revision: 8,
      at: '2026-11-24T10:00:03.000Z',
      bucket: 'rate_limited',
      decision: 'retry',
      justification: {
        rule: 'default@1#rate_limited',
        newEvidence: [{ code: '429', retryAfter: '2026-11-24T10:00:23.000Z' }],
        expectedChange: 'provider_reset',
      },
      policy: { name: 'default', version: 1, hash: 'sha256:0', revision: 0 },
      notBefore: '2026-11-24T10:00:23.000Z',
    },
    says: 'ask attempt 1 failed.',
  };

  it('retry explain: what was seen, how it was judged and why, for each failure or those of one step', async () => {
    const { decided: _, ...undecided } = failure;
    const lost = { ...undecided, step: 'pay', failure: { by: 'lease', message: 'lost', sideEffect: 'unknown' } };
    answers[`GET runs/${RUN}/retries`] = { body: { items: [failure, lost] } };
    expect((await run(['retry', 'explain', RUN])).out).toBe(
      [
        'ask attempt 1  10:00:03.000  main@7',
        '  seen          429: slow down',
        '  bucket        rate_limited',
        '  decision      retry',
        '  because       rule default@1#rate_limited, expects provider_reset',
        '  new evidence  429, retry after 2026-11-24T10:00:23.000Z',
        '  next try      not before 2026-11-24T10:00:23.000Z',
        '  policy        default@1',
        'pay attempt 1  10:00:03.000  main@7',
        '  seen          lost (by lease), side effect unknown',
        '  decision      none yet: retry-policy has not judged it',
        '',
      ].join('\n'),
    );
    answers[`GET runs/${RUN}/retries?step=ask`] = { body: { items: [{ ...failure, passedOver: true }] } };
    answers[`GET runs/${RUN}/retries?step=other`] = { body: { items: [] } };
    answers[`GET runs/${RUN}/retries?step=no`] = { status: 404, body: { code: 'step_not_found', detail: 'No such step.' } };
    expect((await run(['retry', 'explain', RUN, 'ask', '--json'])).json()).toEqual({ items: [{ ...failure, passedOver: true }] });
    expect((await run(['retry', 'explain', RUN, 'ask'])).out).toContain('  then          passed over: the step is optional\n');
    const changed = { op: 'replace', path: '/params/scale', value: 0.5 };
    const ways = [{ fallback: 1 }, { reduce: 'short' }, { patch: [changed, { op: 'remove', path: '/input/x' }] }];
    const decided = ['fallback', 'reduce_scope', 'retry_modified'].map((decision, i) => ({
      ...failure.decided,
      decision,
      change: ways[i],
    }));
    answers[`GET runs/${RUN}/retries`] = { body: { items: decided.map((one) => ({ ...failure, decided: one })) } };
    const { out } = await run(['retry', 'explain', RUN]);
    expect([...out.matchAll(/^ {2}change {8}(.*)$/gm)].map(([, text]) => text)).toEqual([
      "the step's alternative fallback/1",
      'reduced path short',
      'replace /params/scale 0.5, remove /input/x',
    ]);
    const without = `no attempt of step other of run ${RUN.slice(-8)} has failed\n`;
    expect(await run(['retry', 'explain', RUN, 'other'])).toMatchObject({ code: 0, out: without });
    expect(await run(['retry', 'explain', RUN, 'no'])).toMatchObject({ code: 3, err: 'cairn: No such step.\n' });
  });

  it('effect list and show: the ledger, and one key with all that the history says of it', async () => {
    const at = '2026-11-24T10:00:03.000Z';
    const told = (event: string, revision: number, more = {}) => ({
      event,
      branch: 'main',
      revision,
      at,
      attemptId: failure.attemptId,
      ...more,
    });
    const history = [told('EffectIntended', 5), told('EffectUnknown', 7, { because: 'the handler was lost' })];
    const effect = { run: RUN, key: 'pay/V 1', suffix: 1, status: 'unknown', fingerprint: 'f0', guarantee: 'none', step: 'pay', history };
    answers[`GET runs/${RUN}/effects`] = { body: { items: [effect] } };
    answers[`GET runs/${RUN}/effects/pay%2FV%201`] = { body: effect };
    expect((await run(['effect', 'list', RUN])).out).toBe(
      'STATUS   STEP  GUARANTEE  ATTEMPTS  LAST          BRANCH  KEY\nunknown  pay   none       1         10:00:03.000  main    pay/V 1#1\n',
    );
    const { out } = await run(['effect', 'show', RUN, 'pay/V 1']);
    expect(out).toContain('effect        pay/V 1, unknown\nsent as       pay/V 1#1\n');
    expect(out).toContain(`10:00:03.000  main@7    EffectUnknown       attempt ${failure.attemptId.slice(-8)}: the handler was lost\n`);
    expect((await run(['effect', 'show', RUN, 'pay/V 1', '--json'])).json()).toEqual(effect);
    expect((await run(['effect', 'show', RUN, 'other'])).code).toBe(3);
  });
});

describe('policy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-cli-'));
  const good = join(folder, 'calm.yaml');
  const bad = join(folder, 'bad.json');
  writeFileSync(good, 'cairn: 1\npolicy: calm\nbuckets:\n  unclassified: { retry: false, escalate: triage }\nonExhausted: [block]\n');
  const nameless = join(folder, 'nameless.yaml');
  writeFileSync(bad, '{"cairn":1,"policy":"calm","surprise":1}');
  writeFileSync(nameless, 'cairn: 1\npolicy: Calm!\n');
  const summary = { name: 'calm', version: 2, hash: `sha256:${'a'.repeat(64)}`, revision: 1, appliedAt: view.since };

  it('apply: sends the document by its name, says which version it is now, and prints what the server finds wrong', async () => {
    answers['PUT policies/calm'] = { status: 201, body: summary };
    expect(await run(['policy', 'apply', good])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^applied calm@2 {2}sha256:\w{12}\n$/),
    });
    expect(asked[0]?.body).toMatchObject({ cairn: 1, policy: 'calm' });
    answers['PUT policies/calm'] = { status: 200, body: summary };
    expect((await run(['policy', 'apply', good, '--json'])).json()).toMatchObject({ outcome: 'unchanged', version: 2 });
    const errors = [{ pointer: '/surprise', rule: 'unknown_field', says: 'there is no such field' }];
    answers['PUT policies/calm'] = { status: 422, body: { code: 'policy_invalid', detail: 'The policy breaks the rules.', errors } };
    expect(await run(['policy', 'apply', bad])).toMatchObject({ code: 1, err: expect.stringContaining('/surprise') });
    expect(asked).toHaveLength(3);
    expect(await run(['policy', 'apply', nameless])).toMatchObject({ code: 1, err: expect.stringContaining('/policy') });
    expect(asked).toHaveLength(3);
    expect((await run(['policy', 'apply', 'calm.txt'])).code).toBe(2);
  });

  it('list and show: versions by name, and one in its canonical form', async () => {
    const shown = { ...summary, policy: { cairn: 1, policy: 'calm' } };
    answers['GET policies'] = { body: { items: [summary] } };
    answers['GET policies/calm?version=2'] = { body: shown };
    expect((await run(['policy', 'list'])).out).toContain('calm  2        sha256:aaaaaaaaaaaa  ');
    expect((await run(['policy', 'show', 'calm', '--version', '2'])).out).toContain('"policy": "calm"');
    expect((await run(['policy', 'show', 'calm', '--version', '2', '--json'])).json()).toEqual(shown);
    expect((await run(['policy', 'show', 'calm@2', '--json'])).json()).toEqual(shown);
    expect((await run(['policy', 'show', 'calm@2', '--version', '2'])).code).toBe(0);
    expect(await run(['policy', 'show', 'calm@2', '--version', '1'])).toMatchObject({ code: 2, err: expect.stringContaining('give one') });
    expect((await run(['policy', 'show', 'other'])).code).toBe(3);
  });

  it('diff: names each place where two versions differ, and what stands there', async () => {
    const buckets = { timeout: { retry: true, attempts: 4, codes: ['a', 'b'] }, unclassified: { retry: false } };
    const later = {
      timeout: { retry: true, attempts: 5, codes: ['a', 'c', 'd'] },
      network: { retry: false },
      unclassified: { retry: false },
    };
    const rest = { cairn: 1, policy: 'calm', limits: { usd: 5 }, onExhausted: ['fallback', 'block'] };
    const [one, two] = [
      { ...summary, version: 1, policy: { ...rest, buckets } },
      { ...summary, policy: { ...rest, limits: {}, buckets: later, onExhausted: ['fallback', { review: 'ops' }] } },
    ];
    answers['GET policies/calm?version=1'] = { body: one };
    answers['GET policies/calm'] = { body: two };
    expect((await run(['policy', 'diff', 'calm@1', 'calm'])).out).toBe(
      [
        'calm@1 -> calm@2',
        '- /limits/usd                5',
        '~ /onExhausted/1             "block" -> {"review":"ops"}',
        '~ /buckets/timeout/attempts  4 -> 5',
        '~ /buckets/timeout/codes/1   "b" -> "c"',
        '+ /buckets/timeout/codes/2   "d"',
        '+ /buckets/network           {"retry":false}',
        '',
      ].join('\n'),
    );
    expect((await run(['policy', 'diff', 'calm@1', 'calm', '--json'])).json()).toMatchObject({
      from: { name: 'calm', version: 1 },
      to: { version: 2 },
      differences: expect.arrayContaining([{ path: '/limits/usd', before: 5 }]),
    });
    expect((await run(['policy', 'diff', 'calm', 'calm'])).out).toBe('calm@2 and calm@2 are the same\n');
    expect((await run(['policy', 'diff', 'calm', 'other'])).code).toBe(3);
  });
});

describe('def lint', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-cli-'));
  const good = join(folder, 'good.yaml');
  const bad = join(folder, 'bad.yaml');
  writeFileSync(good, 'cairn: 1\nname: hello\nversion: 1.0.0\nsteps:\n  - { id: greet, task: { queue: greeting } }\n');
  writeFileSync(bad, 'cairn: 1\nname: Hello\nversion: 1.0.0\nsteps:\n  - { id: greet, task: { queue: greeting }, surprise: 1 }\n');

  it('needs no server, names every fault with its pointer, and ends with 1 on errors', async () => {
    expect(await run(['def', 'lint', good])).toMatchObject({ code: 0, out: expect.stringContaining('hello@1.0.0') });
    const { code, out } = await run(['def', 'lint', good, bad]);
    expect(code).toBe(1);
    expect(out).toContain('/name');
    expect(out).toContain('/steps/0/surprise');
    expect((await run(['def', 'lint', bad, '--json'])).json()).toMatchObject({
      files: [{ ok: false, errors: expect.arrayContaining([expect.objectContaining({ pointer: '/name' })]) }],
    });
    expect(asked).toEqual([]);
  });

  it('def diff names steps by their ids, of what the server has and of files', async () => {
    const step = (id: string, queue: string) => ({ id, task: { queue } });
    const stored = { cairn: 1, name: 'hello', version: '1.0.0', steps: [step('first', 'q'), step('greet', 'old')] };
    answers['GET definitions/hello?version=1.0.0'] = { body: { name: 'hello', version: '1.0.0', hash: 'sha256:0', definition: stored } };
    expect((await run(['def', 'diff', 'hello@1.0.0', good])).out).toBe(
      [
        `hello@1.0.0 -> ${good}`,
        '- /steps/first             {"id":"first","task":{"queue":"q"}}',
        '~ /steps/greet/task/queue  "old" -> "greeting"',
        '',
      ].join('\n'),
    );
    const moved = { ...stored, steps: stored.steps.toReversed() };
    answers['GET definitions/hello'] = { body: { name: 'hello', version: '1.0.1', hash: 'sha256:1', definition: moved } };
    expect((await run(['def', 'diff', 'hello@1.0.0', 'hello'])).out).toContain('~ /steps (order)  ["first","greet"] -> ["greet","first"]');
    expect((await run(['def', 'diff', good, bad])).code).toBe(1);
  });

  it('def apply sends the canonical form, once for each file', async () => {
    answers['PUT definitions/hello'] = { status: 201, body: {} };
    expect(await run(['def', 'apply', good])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^applied hello@1\.0\.0 {2}sha256:[0-9a-f]{12}\n$/),
    });
    expect(asked[0]?.body).toMatchObject({ cairn: 1, name: 'hello' });
    expect((await run(['def', 'apply', bad])).code).toBe(1);
    expect(asked).toHaveLength(1);
  });
});
