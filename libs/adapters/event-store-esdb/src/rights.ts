import { randomUUID } from 'node:crypto';
import { canon, type Json } from '@cairn/kernel';
import { StoreFault } from '@cairn/ports';
import type { Appends } from './appends.js';
import { unavailable } from './errors.js';
import type { Reading } from './reading.js';
import { refusalOf } from './refusals.js';

/** One setting of the database that is not as Cairn wants it, or that cannot be seen. */
export interface StoreDifference {
  /** What it is about, for a person. */
  readonly subject: string;
  /** The stream that holds the setting. */
  readonly stream: string;
  /** Whether this user may see what is set there. Where not, it may be as it is wanted or not. */
  readonly shown: boolean;
  /** What is set there now, as JSON; `absent`; or that it is not shown. */
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

interface Found {
  readonly setting: Setting;
  readonly difference: StoreDifference;
  /** Why it is not shown. */
  readonly denied?: unknown;
}

const FIXED: readonly Setting[] = [
  { subject: 'default rights of streams', stream: '$settings', type: '$settings', fields: { $userStreamAcl: USER_STREAM_ACL } },
  { subject: 'who may follow all events', stream: '$$$all', type: '$metadata', fields: { $acl: ALL_ACL } },
];

/** Default rights, and how much of bookmarks is kept. What else the same streams say stays as it is. */
export class Rights {
  constructor(
    private readonly reading: Reading,
    private readonly appends: Appends,
    private readonly bookmarkStreams: () => Promise<ReadonlySet<string>>,
  ) {}

  async differences(): Promise<readonly StoreDifference[]> {
    return (await this.look()).map(({ difference }) => difference);
  }

  /**
   * What differed, whether or not it was mended. Throws `store_unavailable`: before anything is changed where this user is not shown what
   * is set, and with what was changed where it may not set it.
   */
  async apply({ dryRun, only }: { readonly dryRun: boolean; readonly only?: Setting }): Promise<readonly StoreDifference[]> {
    const found = await this.look(only);
    const differences = found.map(({ difference }) => difference);
    if (dryRun) return differences;
    const hidden = found.filter(({ denied }) => denied !== undefined);
    if (hidden.length > 0)
      throw notAdmin(`this user is not shown ${hidden.map(({ setting }) => setting.stream).join(', ')}`, [], hidden[0]?.denied);
    const changed: string[] = [];
    for (const { setting } of found) {
      try {
        await this.write(setting);
      } catch (error) {
        throw isDenied(error) ? notAdmin(`this user may not set ${setting.stream}`, changed, error) : error;
      }
      changed.push(setting.stream);
    }
    return differences;
  }

  private async look(only?: Setting): Promise<readonly Found[]> {
    const found: Found[] = [];
    for (const setting of only === undefined ? FIXED : [only]) found.push(...(await this.found(setting)));
    if (only !== undefined) return found;
    try {
      for (const stream of [...(await this.bookmarkStreams())].sort()) found.push(...(await this.found(bookmarkSetting(stream))));
    } catch (error) {
      if (!isDenied(error)) throw error;
      found.push(notShown({ ...bookmarkSetting(''), subject: 'length of each bookmark', stream: '$all' }, error));
    }
    return found;
  }

  /** Nothing where it is as it must be. */
  private async found(setting: Setting): Promise<readonly Found[]> {
    const { subject, stream, fields } = setting;
    const wanted = canon(fields);
    try {
      const { data } = await this.current(stream);
      const is = Object.fromEntries(Object.keys(fields).flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]]])));
      const text = canon(is);
      if (text === wanted) return [];
      return [{ setting, difference: { subject, stream, shown: true, is: Object.keys(is).length === 0 ? 'absent' : text, wanted } }];
    } catch (error) {
      if (!isDenied(error)) throw error;
      return [notShown(setting, error)];
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

/** Whether the server knows this user and does not let it: whom it does not know it shows nothing at all. */
const isDenied = (error: unknown): boolean => refusalOf(error).kind === 'rights';

function notShown(setting: Setting, denied: unknown): Found {
  const { subject, stream, fields } = setting;
  return { setting, difference: { subject, stream, shown: false, is: 'not shown to this user', wanted: canon(fields) }, denied };
}

function notAdmin(what: string, changed: readonly string[], cause: unknown): StoreFault {
  const done = changed.length === 0 ? 'nothing was changed' : `changed before that: ${changed.join(', ')}`;
  return new StoreFault('store_unavailable', `settings take an admin (a member of $admins), and ${what}; ${done}`, { cause });
}
