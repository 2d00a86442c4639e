import { randomUUID } from 'node:crypto';
import { canon, type Json } from '@cairn/kernel';
import type { Appends } from './appends.js';
import { isAccessDenied, unavailable } from './errors.js';
import type { Reading } from './reading.js';

/** One setting of the database that is not as Cairn wants it. */
export interface StoreDifference {
  /** What it is about, for a person. */
  readonly subject: string;
  /** The stream that holds the setting. */
  readonly stream: string;
  /** What is set there now, as JSON; `absent`; or why it cannot be seen. */
  readonly is: string;
  readonly wanted: string;
}

/** The user, or group of users, that the services connect as. */
const SERVICES = 'cairn';
const ADMINS = '$admins';
const BOTH = [ADMINS, SERVICES];

/**
 * Who may do what in streams that say nothing of it themselves. Services append and read. They neither delete nor write metadata: a
 * soft-deleted stream takes `no_stream` again, so that one key could start a second run.
 */
const USER_STREAM_ACL = { $r: BOTH, $w: BOTH, $d: ADMINS, $mr: BOTH, $mw: ADMINS };
/** Tails follow `$all`, which is shown to admins alone unless it says otherwise. */
const ALL_ACL = { $r: BOTH };

interface Setting {
  readonly subject: string;
  readonly stream: string;
  readonly type: string;
  readonly fields: Readonly<Record<string, Json>>;
}

/** Default rights, and how much of bookmarks is kept. What else the same streams say stays as it is. */
export class Rights {
  constructor(
    private readonly reading: Reading,
    private readonly appends: Appends,
    private readonly bookmarkStreams: () => Promise<ReadonlySet<string>>,
  ) {}

  async differences(): Promise<readonly StoreDifference[]> {
    const found: StoreDifference[] = [];
    for (const setting of await this.settings()) {
      const difference = await this.differenceOf(setting);
      if (difference !== undefined) found.push(difference);
    }
    return found;
  }

  /** What differed, whether or not it was mended. Throws `store_unavailable` where the user may not. */
  async apply({ dryRun, only }: { readonly dryRun: boolean; readonly only?: Setting }): Promise<readonly StoreDifference[]> {
    const found: StoreDifference[] = [];
    for (const setting of only === undefined ? await this.settings() : [only]) {
      const difference = await this.differenceOf(setting);
      if (difference === undefined) continue;
      found.push(difference);
      if (!dryRun) await this.write(setting);
    }
    return found;
  }

  private async settings(): Promise<readonly Setting[]> {
    const bookmarks = await this.bookmarkStreams();
    return [
      { subject: 'default rights of streams', stream: '$settings', type: '$settings', fields: { $userStreamAcl: USER_STREAM_ACL } },
      { subject: 'who may follow all events', stream: '$$$all', type: '$metadata', fields: { $acl: ALL_ACL } },
      ...[...bookmarks].sort().map((stream) => bookmarkSetting(stream)),
    ];
  }

  private async differenceOf({ subject, stream, fields }: Setting): Promise<StoreDifference | undefined> {
    const wanted = canon(fields);
    try {
      const { data } = await this.current(stream);
      const is = Object.fromEntries(Object.keys(fields).flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]]])));
      const text = canon(is);
      if (text === wanted) return undefined;
      return { subject, stream, is: Object.keys(is).length === 0 ? 'absent' : text, wanted };
    } catch (error) {
      if (!isAccessDenied((error as { cause?: unknown }).cause)) throw error;
      return { subject, stream, is: 'not shown to this user', wanted };
    }
  }

  private async write(setting: Setting): Promise<void> {
    const { revision, data } = await this.current(setting.stream);
    const text = JSON.stringify({ ...data, ...setting.fields });
    const event = { id: randomUUID(), type: setting.type, isJson: true, data: Buffer.from(text), metadata: Buffer.from('{}') };
    const result = await this.appends.append(setting.stream, revision ?? 'no_stream', [event]);
    if (result.kind === 'conflict') throw unavailable(`${setting.stream}: somebody else changes it right now; apply again`);
  }

  private async current(stream: string): Promise<{ revision: number | undefined; data: Record<string, Json> }> {
    const last = await this.reading.last(stream);
    if (last === undefined) return { revision: undefined, data: {} };
    return { revision: Number(last.revision), data: last.data as Record<string, Json> };
  }
}

/** The setting of one bookmark: only its last value counts. */
export function bookmarkSetting(stream: string): Setting {
  return { subject: `length of ${stream}`, stream: `$$${stream}`, type: '$metadata', fields: { $maxCount: 1 } };
}
