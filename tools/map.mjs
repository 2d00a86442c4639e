// `docs/map.md`: where things happen, found in the code itself, so that the answer cannot grow old.
// Usage: node tools/map.mjs            writes it
//        node tools/map.mjs --check    exit 1 if it does not say what the code says
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { root, typescriptBelow } from './workspaces.mjs';

const target = join(root, 'docs/map.md');
const files = ['libs', 'services']
  .flatMap((folder) => typescriptBelow(join(root, folder), { sourcesOnly: true }))
  .filter((file) => !file.includes(`${sep}spec${sep}`))
  .sort();
const sources = files.map((file) => ({ path: relative(root, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }));

const domain = below('libs/domain/');
const lines = [
  '# Map',
  '',
  'Generated from the code by `npm run map`; `npm test` checks that it is up to date. One name yields every spelling: type',
  '`ApplyRetryDecision`, function `applyRetryDecision`, subject token `apply-retry-decision`.',
  ...section('An event is decided', ['event', 'declared in', 'added by'], events()),
  ...section('A command is decided', ['command', 'by', 'in'], commands()),
  ...section('A message is consumed', ['consumer', 'bus stream', 'hears', 'bound in'], consumers()),
  ...section('A fact becomes a command, an event a fact', ['function', 'in'], reactions()),
  ...section('A request is answered', ['route', 'in'], routes()),
  ...section('A promise is checked', ['invariant', 'by'], invariants()),
  ...section('A person asks', ['`cairn …`', 'in'], cliCommands()),
];
const text = `${lines.join('\n')}\n`;

if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error('docs/map.md does not say what the code says: npm run map');
  process.exitCode = 1;
}

function below(...prefixes) {
  return sources.filter(({ path }) => prefixes.some((prefix) => path.startsWith(prefix)));
}

/** All matches of an expression: `{path, match}`. */
function find(among, expression) {
  return among.flatMap(({ path, text }) => [...text.matchAll(expression)].map((match) => ({ path, match })));
}

/** Each `DomainEvent<'Type', version`: where it is declared, and the files in which a literal of it is built. */
function events() {
  return find(domain, /DomainEvent<\s*'(\w+)',\s*(\d+)/g)
    .map(({ path, match: [, type, version] }) => {
      const builders = find(domain, new RegExp(`type: '${type}',\\s*version:`, 'g')).map(({ path }) => path);
      return [`${type} v${version}`, path, [...new Set(builders)].join(' ')];
    })
    .sort(byFirst);
}

/** Each command (a type with a literal `type` in a `commands.ts`) and the function that is named for it. */
function commands() {
  const declared = find(
    domain.filter(({ path }) => path.endsWith('commands.ts')),
    /interface (\w+)(?: extends \w+)? \{\s*(?:\/\*\*.*?\*\/\s*)?readonly type: '\1'/gs,
  );
  return declared
    .map(({ match: [, command] }) => {
      const name = command.charAt(0).toLowerCase() + command.slice(1);
      const [found] = find(domain, new RegExp(`export (?:function|const) ${name}\\b`, 'g'));
      return [command, found === undefined ? '' : name, found?.path ?? ''];
    })
    .sort(byFirst);
}

function consumers() {
  return find(
    below('libs/contracts/'),
    /export const (\w+)(?:: ConsumerSpec = | = \(partition: number\): ConsumerSpec => \()\{(.*?)\}\)?;/gs,
  )
    .map(({ match: [, name, body] }) => {
      const said = (text = '') => text.replaceAll('${partition}', '<partition>'); // One consumer a partition is one row.
      const durable = said(/durable: ['`]([^'`]+)['`]/.exec(body)?.[1]) || name;
      const busStream = /busStream: '([^']+)'/.exec(body)?.[1] ?? '';
      const filters = [...(/filters: \[(.*?)\]/s.exec(body)?.[1] ?? '').matchAll(/['`]([^'`]+)['`]/g)].map(([, filter]) => said(filter));
      const bound = find(below('services/'), new RegExp(`\\b${name}\\b`, 'g')).map(({ path }) => path);
      return [durable, busStream, filters.join(' '), [...new Set(bound)].join(' ')];
    })
    .sort(byFirst);
}

function reactions() {
  const plain = below('services/').filter(({ path }) => /\/(reactions|publishing)\//.test(path));
  return find(plain, /^export (?:function|const) (\w+)/gm)
    .map(({ path, match: [, name] }) => [name, path])
    .sort(byFirst);
}

/** The gateway's list of routes, each with the door whose decorator has it; those without one are answered before the framework. */
function routes() {
  const doors = new Map(doorRoutes());
  const before = below('services/gateway/src/edge/').find(({ text }) => text.includes('createFastLane('))?.path ?? '';
  return find(below('services/gateway/src/edge/routes'), /method: '(\w+)', path: '([^']+)'/g)
    .map(({ match: [, verb, route] }) => [`${verb} ${route}`, doors.get(`${verb} ${route}`) ?? before])
    .sort(byFirst);
}

/** Nest's decorators with the controller's prefix, spelled as the list of routes spells them: `:id` is `{id}`, `::` is a colon. */
function doorRoutes() {
  return below('services/')
    .filter(({ path }) => path.includes('/doors/'))
    .flatMap(({ path, text }) => {
      const prefix = /@Controller\(\s*['"`]([^'"`]*)['"`]/.exec(text)?.[1] ?? '';
      return [...text.matchAll(/@(Get|Post|Put|Patch|Delete|Sse)\(\s*(?:['"`]([^'"`]*)['"`])?/g)].map(([, verb, route]) => {
        const spelled = `/${prefix}/${route ?? ''}`
          .replaceAll(/\/+/g, '/')
          .replaceAll(/(?<!:):(\w+)(?:\([^)]*\))?/g, '{$1}')
          .replaceAll('::', ':')
          .replace(/\/$/, '');
        return [`${verb.toUpperCase()} ${spelled}`, path];
      });
    });
}

function invariants() {
  const found = new Map();
  for (const {
    path,
    match: [, name],
  } of find(below('libs/oracle/'), /report\(\s*'(I-\d+)'/g))
    found.set(name, (found.get(name) ?? new Set()).add(path));
  return [...found].map(([name, paths]) => [name, [...paths].join(' ')]).sort(([a], [b]) => Number(a.slice(2)) - Number(b.slice(2)));
}

/** The commands that are hung on the root, each with its file and those of its verbs that have one of their own. */
function cliCommands() {
  const among = below('services/cli/src/commands/');
  return find(among, /\broot\s*\.command\('([\w-]+)/g)
    .map(({ path, match: [, command] }) => {
      const text = among.find((file) => file.path === path)?.text ?? '';
      const verbs = [...text.matchAll(/from '\.\/([\w-]+)\.js'/g)].map(([, name]) => `services/cli/src/commands/${name}.ts`);
      return [command, [path, ...verbs].join(' ')];
    })
    .sort(byFirst);
}

/** A table, or nothing where there is nothing yet. */
function section(title, columns, rows) {
  if (rows.length === 0) return [];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const cell = (value) =>
    value === ''
      ? value
      : value
          .split(' ')
          .map((part) => `\`${part}\``)
          .join(' ');
  return [
    '',
    `## ${title}`,
    '',
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(row.map((value) => cell(value.replaceAll('|', '\\|'))))),
  ];
}

function byFirst([a], [b]) {
  return a < b ? -1 : 1;
}
