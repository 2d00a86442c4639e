import { BundleReader, storedEventOf, type BundleContent, type BundleEventKind, type BundleFault } from '@cairn/contracts';
import type { DefinitionApplied } from '@cairn/domain-schedule';
import {
  idOfStream,
  isId,
  isName,
  isNamespace,
  parseRunStream,
  reviewStream,
  runStream,
  sha256HexOfBytes,
  type StoredEvent,
} from '@cairn/kernel';
import type { RunHistory } from '../history.js';
import { defaultLimits } from '../limits.js';
import { checkLog } from '../log.js';
import type { Report } from '../report.js';
import { verifyRun } from '../verify-run.js';
import { artifactsNamed } from './named-artifacts.js';
import { wrongPlace } from './place-of.js';

/** Faults that are named; a bundle with more of them is no bundle. */
const FAULTS_MAX = 100;

/** What is wrong with a bundle, and where: at a line, and at an event of a branch where it holds one. */
export interface BundleFinding extends BundleFault {
  readonly branch?: string;
  readonly revision?: number;
}

export interface BundleVerdict {
  /** As the head says; absent where it cannot be read. */
  readonly head?: Head;
  readonly lines: number;
  /** Of the last line, which all others are chained to. */
  readonly hash: string;
  /** Empty for a bundle that is whole. By line; the first hundred. */
  readonly findings: readonly BundleFinding[];
  /** What the bundle holds of the run; only of a bundle that is whole. */
  readonly history?: RunHistory;
}

type Head = Extract<BundleContent, { kind: 'head' }>;

interface Placed {
  readonly line: number;
  readonly kind: BundleEventKind;
  readonly event: StoredEvent;
}

/**
 * Verifies a bundle (U-19) line by line, from the bytes alone: its chain of lines, every id, hash and append digest of its events, what
 * definitions, policies and artifacts hash to, the digest at each checkpoint, and the invariants of `verifyRun`. Pure, and never throws
 * on what a bundle holds. What the events say is checked only where the lines are whole: else nothing of it would be news.
 */
export class BundleCheck {
  private readonly findings: BundleFinding[] = [];
  private readonly reader = new BundleReader((fault) => this.find(fault));
  private readonly streams = new Map<string, Placed[]>();
  private readonly artifacts = new Map<string, number>();
  private head: Head | undefined;

  /** `onArtifact` is given the bytes of each artifact that is what its line says. */
  constructor(private readonly onArtifact: (bytes: Uint8Array) => void = () => undefined) {}

  /** The next line, without its line feed. */
  line(bytes: Uint8Array): void {
    const content = this.reader.read(bytes);
    if (content === undefined) return;
    switch (content.kind) {
      case 'head':
        this.takeHead(content);
        break;
      case 'artifact':
        this.takeArtifact(content);
        break;
      case 'end':
        break;
      default:
        this.takeEvent(content.kind, storedEventOf(content.event));
    }
  }

  /** `rest`: what stands behind the last line feed. */
  finish(rest: Uint8Array): BundleVerdict {
    this.reader.finish(rest);
    const { head } = this;
    const history = head === undefined || this.findings.length > 0 ? undefined : this.historyOf(head);
    if (head !== undefined && history !== undefined) this.checkHistory(head, history);
    const { lines, hash } = this.reader;
    const findings = this.findings.sort((a, b) => a.line - b.line);
    if (head === undefined) return { lines, hash, findings };
    return { head, lines, hash, findings, ...(history === undefined || findings.length > 0 ? {} : { history }) };
  }

  private takeHead(head: Head): void {
    if (!isId(head.run)) this.find({ line: this.reader.lines, rule: 'head', says: '/run must be an id' });
    else if (!isNamespace(head.ns)) this.find({ line: this.reader.lines, rule: 'head', says: '/ns must be a namespace' });
    else if (!isName(head.workflow)) this.find({ line: this.reader.lines, rule: 'head', says: '/workflow must be a name' });
    else this.head ??= head;
  }

  private takeArtifact({ artifact, bytes, base64 }: Extract<BundleContent, { kind: 'artifact' }>): void {
    const { lines: line } = this.reader;
    const blob = Buffer.from(base64, 'base64');
    const sha256 = sha256HexOfBytes(blob);
    if (blob.toString('base64') !== base64) this.find({ line, rule: 'base64', says: '/base64 must be canonical base64' });
    else if (`sha256:${sha256}` !== artifact) this.find({ line, rule: 'digest', says: `the bytes have the digest ${sha256}` });
    else if (blob.length !== bytes) this.find({ line, rule: 'digest', says: `there are ${blob.length} bytes, not ${bytes}` });
    else if (this.artifacts.has(sha256)) this.find({ line, rule: 'artifact', says: 'the artifact stands twice' });
    else {
      this.artifacts.set(sha256, line);
      this.onArtifact(blob);
    }
  }

  private takeEvent(kind: BundleEventKind, event: StoredEvent): void {
    const { lines: line } = this.reader;
    if (this.head === undefined) return; // The head was found missing.
    const says = wrongPlace(this.head, kind, event);
    if (says !== undefined) return this.find({ line, rule: 'metadata', says });
    const placed = this.streams.get(event.stream) ?? [];
    placed.push({ line, kind, event });
    this.streams.set(event.stream, placed);
  }

  private historyOf({ run: runId }: Head): RunHistory {
    const branches = new Map<string, readonly StoredEvent[]>();
    const reviews = new Map<string, readonly StoredEvent[]>();
    const of: Record<Exclude<BundleEventKind, 'event' | 'review'>, StoredEvent[]> = { definition: [], policy: [], receipt: [] };
    for (const [stream, placed] of this.streams) {
      const events = placed.map(({ event }) => event);
      const kind = placed[0]?.kind ?? 'event';
      if (kind === 'review') reviews.set(idOfStream(stream), events);
      else if (kind === 'event') branches.set(parseRunStream(stream)?.branch ?? '', events);
      else of[kind].push(...events);
    }
    return { runId, branches, reviews, inbox: of.receipt, definitions: of.definition, policies: of.policy };
  }

  private checkHistory(head: Head, history: RunHistory): void {
    const main = history.branches.get('main') ?? [];
    if (main.length === 0) return this.find({ line: 1, rule: 'run', says: 'there is no event of the branch main' });
    if (main[0]?.data['workflow'] !== head.workflow || main[0].data['ns'] !== head.ns)
      this.find({ line: 1, rule: 'head', says: 'the run was started as one of another workflow or namespace' });
    for (const [stream, placed] of this.streams) if (placed[0]?.kind !== 'event') this.checkStream(stream, placed);
    for (const { invariant, branch, revision, says } of verifyRun(history, defaultLimits, 'live'))
      this.find({ line: this.lineOf(runStream(head.run, branch), revision), rule: invariant, says, branch, revision });
    this.checkReviews(history);
    this.checkArtifacts();
  }

  /** Reviews are those that the run has asked for: another one proves nothing of it. */
  private checkReviews({ branches, reviews = new Map<string, readonly StoredEvent[]>() }: RunHistory): void {
    const asked = new Set(
      [...branches.values()].flat().flatMap(({ type, data }) => (type === 'ReviewRequested' ? [data['reviewId']] : [])),
    );
    for (const id of reviews.keys())
      if (!asked.has(id))
        this.find({ line: this.lineOf(reviewStream(id), 0), rule: 'review', says: 'no event of the run asks for this review' });
  }

  /** What is at hand of a stream that is no branch: receipts and reviews are whole, of definitions and policies stands what the run has pinned. */
  private checkStream(stream: string, placed: readonly Placed[]): void {
    const report: Report = (rule, revision, says) => this.find({ line: this.lineOf(stream, revision), rule, says });
    const isWhole = placed[0]?.kind === 'receipt' || placed[0]?.kind === 'review';
    const parts = isWhole ? [placed] : placed.map((one) => [one]);
    for (const part of parts) {
      const first = part[0]?.event;
      const events = part.map(({ event }) => event);
      if (isWhole || first === undefined) checkLog(stream, events, new Set(), report);
      else checkLog(stream, events, new Set(), report, { revision: first.revision, prevHash: first.metadata.prevHash });
    }
    for (const { line, kind, event } of placed) {
      const { definition, definitionRef, hash } = event.data as unknown as DefinitionApplied['data'];
      if (kind === 'definition' && definition === undefined && definitionRef?.artifact !== hash)
        this.find({ line, rule: 'I-33', says: 'the definition is held by an artifact that is not what its hash says' });
    }
  }

  private checkArtifacts(): void {
    const named = new Set<string>();
    for (const [stream, placed] of this.streams) {
      for (const { line, event } of placed) {
        for (const sha256 of artifactsNamed(event.data)) {
          named.add(sha256);
          if (!this.artifacts.has(sha256))
            this.find({ line, rule: 'artifact', says: `${stream}@${event.revision} names artifact ${sha256}, which is not in the bundle` });
        }
      }
    }
    for (const [sha256, line] of this.artifacts)
      if (!named.has(sha256)) this.find({ line, rule: 'artifact', says: 'no event of the bundle names this artifact' });
  }

  private lineOf(stream: string, revision: number): number {
    const placed = this.streams.get(stream) ?? [];
    return (placed.find(({ event }) => event.revision === revision) ?? placed[0])?.line ?? 1;
  }

  private find(finding: BundleFinding): void {
    if (this.findings.length < FAULTS_MAX) this.findings.push(finding);
  }
}

/** The branches of a checked bundle whose earlier edition is `before`, if each goes on from all that was there. */
export function goesOn(before: ReadonlyMap<string, readonly StoredEvent[]>, now: ReadonlyMap<string, readonly StoredEvent[]>): boolean {
  return [...before].every(([branch, events]) => events.every(({ eventId }, i) => now.get(branch)?.[i]?.eventId === eventId));
}
