import { existsSync, readFileSync } from 'node:fs';
import { roles } from '@cairn/kernel';
import { ConfigInvalid, namespacesEnv, portEnv, serviceEnv } from '@cairn/nest-kit';
import { z } from 'zod';
import type { TokenHolder } from './edge/static-principals.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
const DEFAULT_PORT = 4_300;
/** Shorter than 256 bits as hex could be guessed, or is a default that somebody left. */
const TOKEN_CHARS_MIN = 64;

const commaList = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** What the environment says to its process, by name of the variable. */
export const gatewayEnv = z
  .object({
    ...serviceEnv,
    CAIRN_NS: namespacesEnv.default(['default']),
    CAIRN_HOST: z.string().min(1).default('127.0.0.1'),
    /** 0 takes a free one. */
    CAIRN_PORT: portEnv.default(DEFAULT_PORT),
    /** The bearer token; without it the one in the data folder, which is made if it is not there. */
    CAIRN_TOKEN: z
      .string()
      .min(TOKEN_CHARS_MIN, { error: `must have at least ${TOKEN_CHARS_MIN} characters` })
      .optional(),
    CAIRN_TOKEN_FILE: z.string().min(1).optional(),
    /** Others who may come, with tokens and roles of their own; without it `tokens.json` in the data folder, if there is one. */
    CAIRN_TOKENS_FILE: z.string().min(1).optional(),
    /** Host names, beside loopback, under which the gateway is addressed; lower case, without port. */
    CAIRN_HOSTS: z.string().transform(commaList).default([]),
    /** Origins of web pages that may call. */
    CAIRN_ORIGINS: z.string().transform(commaList).pipe(z.array(z.url())).default([]),
  })
  .refine(({ CAIRN_TOKEN, CAIRN_TOKEN_FILE }) => CAIRN_TOKEN === undefined || CAIRN_TOKEN_FILE === undefined, {
    path: ['CAIRN_TOKEN_FILE'],
    error: 'give it or CAIRN_TOKEN, not both',
  })
  .refine(({ CAIRN_HOST, CAIRN_TOKEN, CAIRN_TOKEN_FILE }) => LOOPBACK.test(CAIRN_HOST) || (CAIRN_TOKEN ?? CAIRN_TOKEN_FILE) !== undefined, {
    path: ['CAIRN_HOST'],
    error: 'open to others it needs a token of its own: give CAIRN_TOKEN_FILE (and TLS in front of it)',
  });
export type GatewayProcessConfig = Readonly<z.infer<typeof gatewayEnv>>;

/** Shorter than 128 bits as hex could be guessed. */
const HOLDER_TOKEN_CHARS_MIN = 32;
const NAME = '[A-Za-z0-9][A-Za-z0-9._@-]{0,127}';

const holders = z.array(
  z.strictObject({
    token: z.string().min(HOLDER_TOKEN_CHARS_MIN, { error: `must have at least ${HOLDER_TOKEN_CHARS_MIN} characters` }),
    principal: z.string().regex(new RegExp(`^(user|agent|handler|service):${NAME}$`), {
      error: 'must be user:<name>, agent:<name>, handler:<name> or service:<name>',
    }),
    roles: z.array(z.enum(roles)).min(1),
    groups: z.array(z.string().regex(new RegExp(`^group:${NAME}$`), { error: 'must be group:<name>' })).default([]),
  }),
);

/**
 * Who may come beside the holder of the server's own token: a JSON list of `{token, principal, roles, groups?}`. A file that is named must be
 * there; `optional` may be absent. Throws `ConfigInvalid`, which names every fault and no token.
 */
export function readTokenHolders(named: string | undefined, optional: string): readonly TokenHolder[] {
  const file = named ?? optional;
  if (named === undefined && !existsSync(file)) return [];
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new ConfigInvalid(`CAIRN_TOKENS_FILE: ${file} holds no JSON that this user may read`);
  }
  const read = holders.safeParse(document);
  if (!read.success)
    throw new ConfigInvalid(
      read.error.issues.map(({ path, message }) => `CAIRN_TOKENS_FILE: ${path.join('.') || 'list'}: ${message}`).join('; '),
    );
  if (new Set(read.data.map(({ token }) => token)).size < read.data.length)
    throw new ConfigInvalid('CAIRN_TOKENS_FILE: two principals have the same token');
  return read.data.map(({ token, principal, roles: has, groups }) => ({ token, principal: { id: principal, roles: has, groups } }));
}
