import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { userNkey, type Nkey } from './nkeys.js';
import { RunningNats } from './running-nats.js';

/** What is shipped: the specs start exactly that. */
const SHIPPED = resolve(import.meta.dirname, '../../../deploy/nats');

export interface SecuredNatsOptions {
  /** In the place of the shipped `permissions.conf`: for users of other namespaces. */
  readonly permissions?: string;
  /** Of `deploy/nats`; without it `nats-server.conf`. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A nats-server with the shipped configuration and its permissions, with fresh nkeys for every user. */
export class SecuredNats {
  private constructor(
    readonly nats: RunningNats,
    private readonly folder: string,
    private readonly keys: ReadonlyMap<string, Nkey>,
  ) {}

  /** `users`: the names whose variables the permissions ask for, `CAIRN_NKEY_<NAME>`. */
  static async start(path: string, users: readonly string[], options: SecuredNatsOptions = {}): Promise<SecuredNats> {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-secured-'));
    cpSync(SHIPPED, folder, { recursive: true });
    if (options.permissions !== undefined) writeFileSync(join(folder, 'permissions.conf'), options.permissions);
    const keys = new Map(users.map((user) => [user, userNkey()]));
    mkdirSync(join(folder, 'seeds'));
    for (const [user, { seed }] of keys) writeFileSync(join(folder, 'seeds', user), `${seed}\n`, { mode: 0o600 });
    const variables = [...keys].map(([user, { publicKey }]) => [`CAIRN_NKEY_${user.replaceAll('-', '_').toUpperCase()}`, publicKey]);
    const config = join(folder, options.config ?? 'nats-server.conf');
    const nats = await RunningNats.start(path, { config, env: { ...Object.fromEntries(variables), ...options.env } });
    return new SecuredNats(nats, folder, keys);
  }

  get url(): string {
    return this.nats.url;
  }

  /** The seed of a user, as `connectNats` takes it. */
  credentials(user: string): { readonly nkeySeed: string } {
    const key = this.keys.get(user);
    if (key === undefined) throw new Error(`no user ${user}; there are ${[...this.keys.keys()].join(', ')}`);
    return { nkeySeed: key.seed };
  }

  /** The file of a user's seed: `CAIRN_NATS_NKEY_SEED_FILE` of a process. */
  seedFile(user: string): string {
    this.credentials(user);
    return join(this.folder, 'seeds', user);
  }

  async dispose(): Promise<void> {
    await this.nats.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
