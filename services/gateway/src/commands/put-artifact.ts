import { ARTIFACT_UPLOAD_BYTES_MAX, type ArtifactView } from '@cairn/contracts';
import { sha256HexOfBytes } from '@cairn/kernel';
import type { Artifacts } from '@cairn/ports';
import type { Answer } from '../answer.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';

/** What bytes are taken for where nobody says. */
const ANY_TYPE = 'application/octet-stream';
/** SHA-256 in a `Content-Digest` (RFC 9530): bytes as base64 between colons. */
const CONTENT_DIGEST = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/;

/**
 * `PUT artifacts` and `PUT artifacts/{sha256}`: stores the body as it is. Durable before it answers. A digest that the path or
 * `Content-Digest` names must be that of the body: else what arrived is not what was sent, and nothing is stored.
 */
export async function putArtifact(
  artifacts: Artifacts,
  named: string | undefined,
  contentDigest: string | string[] | undefined,
  body: RawBody | undefined,
): Promise<Answer> {
  if (body === undefined || body.bytes.length === 0) return refuse('invalid_body', 'The body is empty: an artifact has at least one byte.');
  if (body.bytes.length > ARTIFACT_UPLOAD_BYTES_MAX)
    return refuse('body_too_large', `An artifact has at most ${ARTIFACT_UPLOAD_BYTES_MAX} bytes.`);
  const sha256 = sha256HexOfBytes(body.bytes);
  for (const expected of [named, digestIn(contentDigest)]) {
    if (expected !== undefined && expected !== sha256)
      refuse('digest_mismatch', 'The bytes that arrived do not have the digest that was named.', { expected, got: sha256 });
  }
  await artifacts.put(body.bytes);
  const view: ArtifactView = { artifact: `sha256:${sha256}`, bytes: body.bytes.length, mediaType: body.contentType ?? ANY_TYPE };
  return { status: 201, body: view };
}

function digestIn(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const found = CONTENT_DIGEST.exec(typeof header === 'string' ? header : header.join(','))?.[1];
  return found === undefined ? undefined : Buffer.from(found, 'base64').toString('hex');
}
