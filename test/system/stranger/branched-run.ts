// One run on five branches: a policy's, which takes the declared alternative, two shadows (one ends, one is given up), and a person's, who goes
// back behind a signal that came.
import { waitUntil } from '@cairn/testkit';
import type { Fields } from '../../../examples/read-the-history/encoding.mjs';

const PATIENCE_MS = 120_000;

const BOOKING = 'stranger:book';

const policy = {
  cairn: 1,
  policy: 'stranger-curt',
  buckets: {
    invalid_output: { retry: true, attempts: 1, expects: 'resampled_output', backoff: { kind: 'fixed', first: 100 } },
    unclassified: { retry: false, escalate: 'triage' },
  },
  onExhausted: ['fallback', 'block'],
};
const definition = {
  cairn: 1,
  name: 'stranger-branches',
  version: '1.0.0',
  steps: [
    { id: 'first', task: { queue: 'echo' }, input: { of: '${input.key}' } },
    { id: 'extract', task: { queue: 'fails' }, retry: 'stranger-curt', fallback: [{ queue: 'echo', params: { '10': 1, '9': 'ü' } }] },
    { id: 'letter', wait: { any: [{ signal: 'go' }], deadline: '1h', onDeadline: { fail: 'timeout' } } },
    { id: 'last', task: { queue: 'echo' }, input: { more: '${input}' } },
    { id: 'ok', review: { queue: 'desk', question: 'Buchen? ü', deadline: '1d', authorises: ['book'] } },
    {
      id: 'book',
      purpose: 'etwas buchen',
      effect: { queue: 'echo', key: BOOKING, guarantee: 'idempotent', compensate: 'undo' },
      input: { of: '${input.key}' },
    },
  ],
};

const behindTheLetter = { from: { branch: 'b2', at: 'letter.wait' } };

export interface Http {
  get<T>(path: string): Promise<T>;
  put(path: string, body: unknown): Promise<unknown>;
  post<T>(path: string, body: unknown): Promise<T>;
}

/** Makes the run; resolves with its id when it is complete on `b5`. Its queues are served by somebody else. */
export async function makeBranchedRun({ get, put, post }: Http, key: string): Promise<string> {
  await put('policies/stranger-curt', policy);
  await put('definitions/stranger-branches', definition);
  const { runId } = await post<{ runId: string }>('workflows/stranger-branches/runs', { key, input: { key } });
  const until = (state: string, head: string): Promise<boolean> =>
    waitUntil(
      `${runId} is ${state} on ${head}`,
      async () => {
        const row = await get<Fields>(`runs/${runId}`);
        return row['state'] === state && row['head'] === head;
      },
      PATIENCE_MS,
    );
  await until('waiting', 'b2');
  await post(`runs/${runId}/signals/go`, { data: { '10': 'ü', '9': 1e-7 } });
  await approve(await openReview(() => get(`reviews?run=${runId}`)), post);
  await until('complete', 'b2');
  const shadow = async (branch: string, outcome: string, ...changes: readonly Fields[]): Promise<void> => {
    await post(`runs/${runId}/branches`, { ...behindTheLetter, cause: 'what_if', shadow: true, reason: 'wäre wenn', changes });
    if (outcome === 'abandoned') await post(`runs/${runId}/branches/${branch}:abandon`, { reason: 'genug' });
    await waitUntil(
      `shadow ${branch} is ${outcome}`,
      async () => {
        const { branches } = await get<{ branches: readonly Fields[] }>(`runs/${runId}/branches`);
        return branches.some((row) => row['branch'] === branch && row['outcome'] === outcome);
      },
      PATIENCE_MS,
    );
  };
  await shadow('b3', 'succeeded', { op: 'add', path: '/input/more', value: 'ü' });
  await shadow('b4', 'abandoned', { op: 'replace', path: '/steps/last/queue', value: 'nobody' });
  await post(`runs/${runId}/branches`, {
    ...behindTheLetter,
    cause: 'correction',
    reason: 'schöner ü',
    changes: [{ op: 'add', path: '/steps/last/params', value: { '10': 1, '9': 2 } }],
    effects: { [BOOKING]: 'reuse' },
    received: { 'verdict:ok': 'carry' },
  });
  await until('complete', 'b5');
  await post(`runs/${runId}/effects/${BOOKING}:compensate`, { reason: 'doch nicht' });
  await waitUntil(
    'it is undone',
    async () => (await get<Fields>(`runs/${runId}/effects/${BOOKING}`))['status'] === 'compensated',
    PATIENCE_MS,
  );
  return runId;
}

interface OpenReview {
  readonly review: string;
  readonly revision: number;
  readonly subjectDigest: string;
}

const openReview = (list: () => Promise<{ readonly items: readonly OpenReview[] }>): Promise<OpenReview> =>
  waitUntil('people are asked', async () => (await list()).items[0], PATIENCE_MS);

const approve = ({ review, revision, subjectDigest }: OpenReview, post: Http['post']): Promise<unknown> =>
  post(`reviews/${review}:decide`, { revision, subjectDigest, verdict: 'approve', reason: 'schön ü' });
