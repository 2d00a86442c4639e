import { namespacesEnv, portEnv, serviceEnv } from '@cairn/nest-kit';
import { z } from 'zod';

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
