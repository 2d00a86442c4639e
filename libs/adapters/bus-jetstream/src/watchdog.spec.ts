import { describe, expect, it } from '@jest/globals';
import { judgeStanding, type Standing } from './watchdog.js';

const standing = (more: Partial<Standing> = {}): Standing => ({ floor: 5, delivered: 5, pending: 3, lastSequence: 8, ...more });

describe('what two looks say of a consumer (F-45)', () => {
  it.each<[string, Standing, Standing | undefined, boolean, string | undefined]>([
    ['its floor is beyond the end of its stream', standing({ floor: 9 }), undefined, false, 'floor_beyond_end'],
    ['messages wait, none was delivered since, nothing is under way', standing(), standing(), true, 'stands_still'],
    ['it is the first look', standing(), undefined, true, undefined],
    ['something is under way', standing(), standing(), false, undefined],
    ['something was delivered since', standing(), standing({ delivered: 4 }), true, undefined],
    ['nothing waits', standing({ pending: 0 }), standing({ pending: 0 }), true, undefined],
    ['what waits has only just come', standing(), standing({ pending: 0 }), true, undefined],
  ])('%s', (_, now, before, idle, finding) => expect(judgeStanding(now, before, idle)).toBe(finding));
});
