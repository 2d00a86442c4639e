import type { Page, RunView } from '@cairn/contracts';
import { spanText } from '@cairn/kernel/span';
import type { Paint } from './paint.js';
import { brief, oneLine, table, tail } from './show.js';

const stateOf = ({ state, sub }: RunView): string => (sub === undefined ? state : `${state}(${sub})`);

export function runTable({ items, cursor }: Page<RunView>, paint: Paint): string {
  const rows = items.map((run) => [
    tail(run.run),
    `${run.workflow}@${run.version}`,
    run.key ?? '',
    stateOf(run),
    spanText(Date.now() - Date.parse(run.since)),
    `${run.head}@${run.revision}`,
    run.flags.join(' '),
  ]);
  const header = ['RUN', 'WORKFLOW', 'KEY', 'STATE', 'FOR', 'HEAD', 'FLAGS'];
  return (
    table(header, rows, (text) => paint.style('bold', text)) +
    (cursor === undefined ? '' : paint.style('dim', `more: --cursor ${cursor}\n`))
  );
}

export function runText(run: RunView, paint: Paint): string {
  const lines: [string, string][] = [
    ['run', run.run],
    ['workflow', oneLine(`${run.workflow}@${run.version}${run.key === undefined ? '' : `, key ${run.key}`}`)],
    ['goal', oneLine(run.goal ?? 'none')],
    ['state', `${paint.state(run.state, stateOf(run))} for ${spanText(Date.now() - Date.parse(run.since))}, since ${run.since}`],
    ['head', `${run.head}@${run.revision}`],
    ['started', run.startedAt],
    ...(run.endedAt === undefined ? [] : [['ended', run.endedAt] satisfies [string, string]]),
    ...(Object.keys(run.attributes).length === 0 ? [] : [['attributes', brief(run.attributes)] satisfies [string, string]]),
    ...(run.flags.length === 0 ? [] : [['flags', paint.style('yellow', run.flags.join(' '))] satisfies [string, string]]),
  ];
  return lines.map(([name, value]) => `${paint.style('dim', name.padEnd(10))}  ${value}\n`).join('');
}
