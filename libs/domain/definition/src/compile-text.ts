import { compileDefinition, type Compiled } from './compile.js';
import { readJson } from './json-text.js';
import { DOCUMENT_BYTES_MAX } from './limits.js';
import { Problems } from './problems.js';
import { isTextLargerThan } from './size.js';
import { readYaml } from './yaml-text.js';

export type DocumentFormat = 'json' | 'yaml';

/** Compiles a file. Both spellings of one workflow, and the builder's, give the same bytes. At most 256 KiB, no byte order mark. */
export function compileDefinitionText(text: string, format: DocumentFormat): Compiled {
  const problems = new Problems();
  const document = readDocument(text, format, problems);
  return problems.errors.length > 0 ? { ok: false, errors: problems.errors } : compileDefinition(document);
}

/** The value of a document's text, of any kind, or its problems: too large, a byte order mark, not JSON or YAML, repeated keys. */
export function readDocument(text: string, format: DocumentFormat, problems: Problems): unknown {
  const before = problems.errors.length;
  if (isTextLargerThan(text, DOCUMENT_BYTES_MAX)) problems.error('', 'too_large', `a document has at most ${DOCUMENT_BYTES_MAX} bytes`);
  else if (text.startsWith('\ufeff')) problems.error('', 'byte_order_mark', 'a document starts without a byte order mark');
  if (problems.errors.length > before) return undefined;
  return format === 'json' ? readJson(text, problems) : readYaml(text, problems);
}
