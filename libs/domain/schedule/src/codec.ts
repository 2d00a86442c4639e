import { isId, isNamespace, type Json } from '@cairn/kernel';
import { z } from 'zod';
import { outcomes } from './receipts/events.js';

const id = z.string().refine(isId, 'an id of 26 characters');
const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'an instant with milliseconds');
const json = z.json() as z.ZodType<Json>;
const object = z.record(z.string(), json);
const dataRef = z.looseObject({ artifact: z.string().startsWith('sha256:'), bytes: z.int().nonnegative(), mediaType: z.string() });
const problem = z.looseObject({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.looseObject({ pointer: z.string(), rule: z.string(), says: z.string() })).optional(),
});
const target = z.union([
  z.looseObject({ kind: z.literal('start'), workflow: z.string() }),
  z.looseObject({ kind: z.literal('signal'), runId: id, name: z.string() }),
]);

const eventReceived = z.looseObject({
  receiptId: id,
  source: z.string(),
  id: z.string(),
  type: z.string(),
  subject: z.string().optional(),
  key: z.string().optional(),
  time: z.string().optional(),
  dataschema: z.string().optional(),
  target: target.optional(),
  control: z.looseObject({ runId: id, verb: z.string() }).optional(),
  callback: z.looseObject({ runId: id, waitId: id, name: z.string() }).optional(),
  extensions: object,
  data: json.optional(),
  dataRef: dataRef.optional(),
  bodyDigest: z.string().length(64),
  via: z.enum(['http', 'bus', 'emit']),
});

const receiptSettled = z.looseObject({
  receiptId: id,
  outcome: z.enum(outcomes),
  runs: z.array(z.looseObject({ run: id, branch: z.string().optional(), wait: z.string().optional() })),
  keptUntil: instant.optional(),
  nearMisses: z.array(z.looseObject({ run: id, wait: z.string(), clause: z.string(), expected: json, got: json })),
  problem: problem.optional(),
});

const eventKept = z.looseObject({
  receiptId: id,
  type: z.string(),
  key: z.string(),
  source: z.string(),
  id: z.string(),
  receivedAt: instant,
  until: instant,
});

const definitionApplied = z.looseObject({
  ns: z.string().refine(isNamespace, 'a namespace'),
  name: z.string(),
  version: z.string(),
  hash: z.string().startsWith('sha256:'),
  definition: object.optional(),
  definitionRef: dataRef.optional(),
});

const bundleImported = z.looseObject({
  runId: id,
  ns: z.string().refine(isNamespace, 'a namespace'),
  bundle: dataRef,
  lines: z.int().positive(),
  hash: z.string().length(64),
  run: z.looseObject({
    workflow: z.string(),
    version: z.string(),
    key: z.string().optional(),
    goal: z.string().nullable(),
    attributes: object,
    state: z.string(),
    sub: z.string().nullable(),
    head: z.string(),
    revision: z.int().nonnegative(),
    since: instant,
    startedAt: instant,
    endedAt: instant.optional(),
  }),
});

/** What the data of each event must look like to be read. Loose: later releases may add fields, never take one away. */
export const eventSchemas: Readonly<Record<string, z.ZodType>> = {
  'EventReceived@1': eventReceived,
  'ReceiptSettled@1': receiptSettled,
  'EventKept@1': eventKept,
  'DefinitionApplied@1': definitionApplied,
  'BundleImported@1': bundleImported,
};
