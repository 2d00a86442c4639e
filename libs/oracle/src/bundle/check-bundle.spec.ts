import { describe, expect, it } from '@jest/globals';
import { BUNDLE_FORMAT, BundleWriter, LineSplitter, storedEventView } from '@cairn/contracts';
import { idOf, reviewStream, sealAppend, type StoredEvent } from '@cairn/kernel';
import type { RunHistory } from '../history.js';
import { recoveredHistory } from '../spec/good-branches.js';
import { reviewedHistory } from '../spec/good-reviews.js';
import { BundleCheck, goesOn, type BundleVerdict } from './check-bundle.js';

// U-19 over branches: a bundle holds them all, in any order, and what is wrong on one is told with its name.

const branchOf = ({ branches }: RunHistory, name: string): readonly StoredEvent[] => branches.get(name) ?? [];

function verdictOf({ runId, inbox = [] }: RunHistory, events: readonly StoredEvent[], reviews: readonly StoredEvent[] = []): BundleVerdict {
  const writer = new BundleWriter();
  const { ns } = events.find(({ type }) => type === 'RunStarted')?.metadata ?? { ns: 'default' };
  const workflow = String(events.find(({ type }) => type === 'RunStarted')?.data['workflow']);
  const lines = [
    writer.line({ kind: 'head', bundle: BUNDLE_FORMAT, ns, run: runId, workflow }),
    ...inbox.map((event) => writer.line({ kind: 'receipt', event: storedEventView(event) })),
    ...reviews.map((event) => writer.line({ kind: 'review', event: storedEventView(event) })),
    ...events.map((event) => writer.line({ kind: 'event', event: storedEventView(event) })),
    writer.end(),
  ];
  const [check, splitter] = [new BundleCheck(), new LineSplitter()];
  for (const line of splitter.push(Buffer.from(lines.join('')))) check.line(line);
  return check.finish(splitter.rest());
}

describe('a bundle of a run on several branches', () => {
  const history = recoveredHistory();
  const [main, b2] = [branchOf(history, 'main'), branchOf(history, 'b2')];
  /** All but that a spec's history does not have the documents that the run pins. */
  const found = (events: readonly StoredEvent[]): string[] =>
    verdictOf(history, events).findings.flatMap(({ rule, says, branch, revision }) =>
      rule === 'I-33' && says.endsWith('does not exist') ? [] : [`${branch ?? ''}@${revision ?? ''} ${rule}`],
    );

  it('is whole, whichever branch stands first', () => {
    expect(found([...main, ...b2])).toEqual([]);
    expect(found([...b2, ...main])).toEqual([]);
  });

  it('names the branch on which something is missing, and one that nothing announces', () => {
    expect(found([...main, ...b2.slice(0, 3), ...b2.slice(4)])).toContainEqual(expect.stringMatching(/^b2@\d+ I-/));
    expect(found([...main.slice(0, -1), ...b2])).toContainEqual(expect.stringMatching(/^b2@0 I-9/));
  });

  it('goes on from an earlier edition that had fewer branches, and not from one that had more', () => {
    const before = new Map([['main', main]]);
    expect(goesOn(before, history.branches)).toBe(true);
    expect(goesOn(history.branches, before)).toBe(false);
  });
});

describe('a bundle of a run that people decided about', () => {
  const history = reviewedHistory();
  const main = branchOf(history, 'main');
  const [review = []] = [...(history.reviews ?? new Map<string, readonly StoredEvent[]>()).values()];
  const found = (reviews: readonly StoredEvent[]): string[] =>
    verdictOf(history, main, reviews).findings.flatMap(({ rule, says }) =>
      rule === 'I-33' && says.endsWith('does not exist') ? [] : [rule],
    );

  it('holds the streams of its reviews, and is not whole without what a verdict follows from', () => {
    expect(found(review)).toEqual([]);
    expect(found([])).toContain('I-5');
    expect(found(review.slice(0, -1))).toContain('I-5');
  });

  it('holds no review that its run has not asked for', () => {
    const context = {
      stream: reviewStream(idOf('review', 'another')),
      expected: 'no_stream',
      prevHash: '',
      ns: main[0]?.metadata.ns ?? '',
    } as const;
    const others = sealAppend({ ...context, at: review[0]?.at ?? '', actor: 'user:eve', causationId: 'c' }, [
      { type: 'ReviewOpened', version: 1, data: {} },
    ]);
    expect(found([...review, ...others])).toContain('review');
  });
});
