/**
 * Goal: whatever becomes of answers, grants and replies on their way, one key is booked once (C-EFFECT, P-3, I-15 to I-17; F-7, F-20, F-21):
 * with every guarantee, the target of `idempotent` alone honouring keys. Method: a real server, worker sessions of the SDK and a hotel that
 * counts; between the session that is first given an effect and the server a line that loses, doubles or delays its grant, its reply or the
 * answer to that, each in turn and in seeded mixes; the hotel loses or delays its own answers. Another session stands by at once.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handler, serve, type Task, type Worker } from '@cairn/sdk';
import { Pcg32 } from '@cairn/simulated';
import { waitUntil } from '@cairn/testkit';
import { AttackedLine, type Attack, type Fault, type Place } from './attack/line.js';
import { Hotel, PATIENCE_MS, type HotelFault } from './attack/hotel.js';
import { call, startServer, type Spawned } from './processes.js';

type Guarantee = 'none' | 'reconcile' | 'idempotent';

const LIMIT_MS = 300_000;
/** Until what was lost is missed, looked for and done again; some of it twice. */
const ENDS_MS = 60_000;
const guarantees: readonly Guarantee[] = ['none', 'reconcile', 'idempotent'];
const faults: readonly Fault[] = ['lost', 'doubled', 'late', 'very late'];
const places: readonly Place[] = ['grant', 'reply', 'answer to the reply'];
const hotelFaults: readonly HotelFault[] = ['answer lost', 'answer late', 'request lost'];
/** Of each guarantee so many mixes of three faults; the base seed is printed by the name of a test. */
const MIXES = 4;
const SEED = 20261123;

/** What one run is played with: its name is its queue and its key. */
interface Case {
  readonly name: string;
  readonly guarantee: Guarantee;
  readonly attacks: readonly Attack[];
  readonly hotel: readonly HotelFault[];
}

const definition = ({ name, guarantee }: Case): object => ({
  cairn: 1,
  name,
  version: '1.0.0',
  steps: [
    {
      id: 'book',
      purpose: 'the guest has a room',
      effect: { queue: name, key: '${run.key}', guarantee, ...(guarantee === 'reconcile' ? { reconcile: `${name}-lookup` } : {}) },
      input: { honours: guarantee === 'idempotent' },
    },
  ],
});

describe('the claim to do it once', () => {
  let folder: string;
  let server: { readonly process: Spawned; readonly url: string };
  let hotel: Hotel;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-attack-'));
    server = await startServer(join(folder, 'data'));
    hotel = await Hotel.start();
  }, LIMIT_MS);
  afterAll(async () => {
    await server.process.kill();
    await hotel.stop();
    rmSync(folder, { recursive: true, force: true });
  }, LIMIT_MS);

  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> =>
    (await call<T>(join(folder, 'data'), server.url, method, path, body)).body;

  /** Books, or finds out that it was booked. What the hotel does not answer in time nobody knows. */
  const fetchHotel = async (path: string, task: Task, more = ''): Promise<{ readonly isBooked: boolean }> => {
    const url = `${hotel.url}/${path}?key=${encodeURIComponent(task.idempotencyKey)}${more}`;
    return (await (await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })).json()) as { readonly isBooked: boolean };
  };
  const book = (task: Task<{ readonly honours: boolean }>): Promise<unknown> =>
    fetchHotel('book', task as unknown as Task, `&honours=${task.input.honours}`);

  const worker = (name: string, url: string, queues: readonly string[], handlers: readonly ReturnType<typeof handler>[]): Worker =>
    serve(
      { url, token: readFileSync(join(folder, 'data/token'), 'utf8').trim(), name, signals: false, say: () => undefined, graceMs: 100 },
      [...handlers.filter(({ queue }) => queues.includes(queue))],
    );

  /** Plays one case to its end; answers the run and how it stands. */
  async function play(
    one: Case,
  ): Promise<{ readonly run: string; readonly state: string; readonly sub?: string; readonly met: readonly string[] }> {
    const { name, attacks } = one;
    const met: string[] = [];
    const left = [...attacks];
    let seen = false;
    const line = await AttackedLine.start(server.url, (place) => {
      seen = true;
      const at = left.findIndex((attack) => attack.place === place);
      const [attack] = at < 0 ? [] : left.splice(at, 1);
      if (attack !== undefined) met.push(`${attack.place} ${attack.fault}`);
      return attack?.fault;
    });
    const lookup = handler(`${name}-lookup`, async (task: Task) => {
      const { isBooked } = await fetchHotel('find', task);
      return isBooked ? { found: true, result: { isBooked } } : { found: false };
    });
    const booking = handler<unknown, { readonly honours: boolean }>(name, book);
    const workers = [worker('first', line.url, [name], [booking])];
    try {
      await ask('PUT', `definitions/${name}`, definition(one));
      hotel.befall(name, one.hotel);
      const { runId } = await ask<{ runId: string }>('POST', `workflows/${name}/runs`, { key: name });
      await waitUntil('the first session has had the effect', () => seen, ENDS_MS);
      workers.push(worker('second', server.url, [name, `${name}-lookup`], [booking, lookup]));
      let view = { state: '', sub: '' };
      await waitUntil(
        `${name} ends or is blocked`,
        async () => {
          view = await ask('GET', `runs/${runId}`);
          return view.state === 'complete' || view.state === 'blocked';
        },
        ENDS_MS,
      );
      await waitUntil('what is late has come', () => workers.length > 0 && line.isQuiet, ENDS_MS);
      return { run: runId, met, ...view };
    } finally {
      await Promise.all(workers.map((one) => one.stop()));
      await line.stop();
    }
  }

  /** One booking at most, one where the run says so, and a history that says it as it was. */
  async function holds(one: Case): Promise<void> {
    const { run, state, sub, met } = await play(one);
    const told = `${one.name}: ${met.join(', ')} -> ${state} ${sub ?? ''}`;
    const booked = hotel.countOf(one.name);
    expect([told, booked <= 1]).toEqual([told, true]);
    // Who can find out, or may ask again, needs nobody.
    if (one.guarantee !== 'none') expect([told, state, booked]).toEqual([told, 'complete', 1]);
    else expect([told, state === 'complete' ? booked : sub]).toEqual([told, state === 'complete' ? 1 : 'effect_unknown']);
    const { violations } = await ask<{ violations: unknown[] }>('GET', `runs/${run}/verify`);
    expect([told, violations]).toEqual([told, []]);
    if (one.attacks.length === 1) expect([told, met.length]).toEqual([told, 1]); // It was attacked as it says.
  }

  const inTurn = (guarantee: Guarantee): Case[] => [
    ...places.flatMap((place, i) =>
      faults.map((fault, k): Case => ({ name: `${guarantee}-p${i}f${k}`, guarantee, attacks: [{ place, fault }], hotel: [] })),
    ),
    ...hotelFaults.map((fault, i): Case => ({ name: `${guarantee}-h${i}`, guarantee, attacks: [], hotel: [fault] })),
  ];

  it.each(guarantees)(
    'holds with guarantee %s, whatever is lost, doubled or late',
    async (guarantee) => {
      await Promise.all(inTurn(guarantee).map(holds));
    },
    LIMIT_MS,
  );

  const mixesOf = (guarantee: Guarantee): Case[] =>
    Array.from({ length: MIXES }, (_, n): Case => {
      const random = new Pcg32(BigInt(SEED), BigInt(n));
      const pick = <T>(of: readonly T[]): T => of[random.below(of.length)] as T;
      return {
        name: `${guarantee}-m${n}`,
        guarantee,
        attacks: Array.from({ length: 3 }, () => ({ place: pick(places), fault: pick(faults) })),
        hotel: n % 2 === 0 ? [pick(hotelFaults), pick(hotelFaults)] : [],
      };
    });

  it.each(guarantees)(
    `holds with guarantee %s in mixes of all that, seed ${SEED}`,
    async (guarantee) => {
      await Promise.all(mixesOf(guarantee).map(holds));
    },
    LIMIT_MS,
  );
});
