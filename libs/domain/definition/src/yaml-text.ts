import { CST, Lexer, LineCounter, parseDocument } from 'yaml'; // The one importer of it.
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

/**
 * The value of a YAML 1.2 text under the core schema. Anchors, aliases and tags are looked for before anything is built from the text, so
 * that no alias is ever followed (B-40) and none passes in silence (T-38). Every refusal names its line.
 */
export function readYaml(text: string, problems: Problems): unknown {
  const before = problems.errors.length;
  refuseTokens(text, problems);
  if (problems.errors.length > before) return undefined;

  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', schema: 'core', strict: true, uniqueKeys: true, stringKeys: true, merge: false, prettyErrors: false, lineCounter: lines });
  for (const error of [...document.errors, ...document.warnings]) {
    const rule = error.code === 'DUPLICATE_KEY' ? 'duplicate_key' : 'invalid_yaml';
    problems.error('', rule, `line ${lines.linePos(error.pos[0]).line}: ${error.message}`);
  }
  return problems.errors.length > before ? undefined : (document.toJS({ maxAliasCount: 0 }) as unknown);
}

function refuseTokens(text: string, problems: Problems): void {
  let line = 1;
  let scalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    const says = scalar || MARKS.has(lexeme) ? undefined : REFUSED[CST.tokenType(lexeme) ?? ''];
    if (says !== undefined) problems.error('', 'yaml_feature', `line ${line}: ${says}`);
    scalar = lexeme === SCALAR_MARK;
    for (const char of lexeme) if (char === '\n') line += 1;
  }
}
