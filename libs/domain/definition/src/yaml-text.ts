import { CST, isScalar, Lexer, LineCounter, parseDocument, visit } from 'yaml'; // The one importer of it.
import { DOCUMENT_DEPTH_MAX, YAML_INDENT_MAX, YAML_TOKENS_MAX } from './limits.js';
import type { Problems } from './problems.js';

const REFUSED: { readonly [token: string]: string } = {
  anchor: 'anchors (&) are not part of a definition',
  alias: 'aliases (*) are not part of a definition',
  tag: 'tags (!) are not part of a definition',
  'directive-line': 'directives (%) are not part of a definition',
};

/** The lexer announces a scalar with this mark; what follows is text, whatever it looks like. */
const SCALAR_MARK = '\u001f';
const MARKS: ReadonlySet<string> = new Set([SCALAR_MARK, '\u0002', '\u0018', '\ufeff']);
/** What opens blocks at the start of a line: spaces, and indicators with a space behind them. */
const LEADING = /^(?:[ \t]|[-?:](?=[ \t]))*/;

/**
 * The value of a YAML 1.2 text under the core schema. Anchors, aliases, tags and depth are looked for before anything is built from the
 * text, so that no alias is ever followed (B-40) and none passes in silence (T-38). Every refusal names its line.
 */
export function readYaml(text: string, problems: Problems): unknown {
  const before = problems.errors.length;
  refuseIndentation(text, problems);
  if (problems.errors.length === before) refuseTokens(text, problems);
  if (problems.errors.length > before) return undefined;

  const lines = new LineCounter();
  // Keys are compared by `refuseRepeatedKeys`: the library compares each with each, and 20,000 keys take it seconds.
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: false,
    stringKeys: true,
    merge: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  for (const error of [...document.errors, ...document.warnings]) {
    const says = error.code === 'MULTIPLE_DOCS' ? 'a second document begins here; a file holds one' : error.message.slice(0, 200);
    problems.error('', 'invalid_yaml', `line ${lines.linePos(error.pos[0]).line}: ${says}`);
  }
  if (problems.errors.length === before) refuseRepeatedKeys(document, lines, problems);
  return problems.errors.length > before ? undefined : (document.toJS({ maxAliasCount: 0 }) as unknown);
}

/** The library builds a regular expression as wide as the indentation, and a wide one aborts the process. */
function refuseIndentation(text: string, problems: Problems): void {
  for (const [i, line] of text.split('\n').entries()) {
    const width = LEADING.exec(line)?.[0].length ?? 0;
    if (width > YAML_INDENT_MAX) return problems.error('', 'too_deep', `line ${i + 1}: indented by more than ${YAML_INDENT_MAX} columns`);
  }
}

function refuseTokens(text: string, problems: Problems): void {
  let line = 1;
  let tokens = 0;
  let depth = 0;
  let scalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    const token = scalar || MARKS.has(lexeme) ? null : CST.tokenType(lexeme);
    const says = REFUSED[token ?? ''];
    if (says !== undefined) problems.error('', 'yaml_feature', `line ${line}: ${says}`);
    if (token === 'flow-seq-start' || token === 'flow-map-start') depth += 1;
    if (token === 'flow-seq-end' || token === 'flow-map-end') depth -= 1;
    if (depth > DOCUMENT_DEPTH_MAX) return problems.error('', 'too_deep', `line ${line}: nested deeper than ${DOCUMENT_DEPTH_MAX}`);
    if (++tokens > YAML_TOKENS_MAX) return problems.error('', 'too_large', `line ${line}: more than ${YAML_TOKENS_MAX} tokens`);
    scalar = lexeme === SCALAR_MARK;
    for (const char of lexeme) if (char === '\n') line += 1;
  }
}

function refuseRepeatedKeys(document: ReturnType<typeof parseDocument>, lines: LineCounter, problems: Problems): void {
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : '';
        if (seen.has(name)) {
          const line = isScalar(key) && key.range ? lines.linePos(key.range[0]).line : 1;
          problems.error('', 'duplicate_key', `line ${line}: ${name.slice(0, 100)} occurs twice in one object`);
        }
        seen.add(name);
      }
    },
  });
}
