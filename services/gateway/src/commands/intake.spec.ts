import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@cairn/kernel';
import type { Bus } from '@cairn/ports';
import { systemIds } from '@cairn/system';
import { Refused } from '../edge/refused.js';
import { ASKS_OPEN_MAX, Intake } from './intake.js';

describe('Intake', () => {
  it('refuses early what could not be answered in time, with Retry-After, and takes more as soon as there is room (P-10)', async () => {
    const waiting: ((answer: JsonObject) => void)[] = [];
    const bus = { ask: () => new Promise<JsonObject>((answer) => waiting.push(answer)) } as unknown as Bus;
    const intake = new Intake({ bus, ids: systemIds });
    const asked = Array.from({ length: ASKS_OPEN_MAX }, () => intake.ask('cairn.default.in.a', {}));
    const refused = await intake.ask('cairn.default.in.a', {}).catch((error: unknown) => error as Refused);
    expect(refused).toBeInstanceOf(Refused);
    expect(refused).toMatchObject({ problem: { status: 503, code: 'overloaded' }, headers: { 'retry-after': '2' } });
    expect(waiting).toHaveLength(ASKS_OPEN_MAX);
    waiting[0]?.({});
    await asked[0];
    const next = intake.ask('cairn.default.in.a', {});
    for (const answer of waiting) answer({});
    await Promise.all([...asked, next]);
  });
});
