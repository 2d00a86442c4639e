/** Where a worker's credentials for the bus lie: paths of files, never the secrets themselves, but for a user's name. */
export interface NatsAccess {
  readonly nkeySeedFile?: string | undefined;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly tlsCa?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly inboxPrefix?: string | undefined;
}

/** What the environment says of them, by the names that services use too. */
export function natsAccessOf(env: NodeJS.ProcessEnv): NatsAccess {
  const said = (name: string): string | undefined => env[name] || undefined;
  return {
    nkeySeedFile: said('CAIRN_NATS_NKEY_SEED_FILE'),
    user: said('CAIRN_NATS_USER'),
    passwordFile: said('CAIRN_NATS_PASSWORD_FILE'),
    tokenFile: said('CAIRN_NATS_TOKEN_FILE'),
    tlsCa: said('CAIRN_NATS_TLS_CA'),
    tlsCert: said('CAIRN_NATS_TLS_CERT'),
    tlsKey: said('CAIRN_NATS_TLS_KEY'),
    inboxPrefix: said('CAIRN_NATS_INBOX_PREFIX'),
  };
}
