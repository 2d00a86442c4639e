import type { BranchDiffEffect, BranchDiffSide, BranchDiffStep, BranchDiffView } from '@cairn/contracts';
import { changesText, choicesText, type Change } from './changes-text.js';
import type { Paint } from './paint.js';
import { brief, oneLine, shortHash, table } from './show.js';

/** Characters of one value in a cell. */
const CELL_MAX = 60;

/** What is different between two branches: the change set on top, then step by step. */
export function branchDiffText(view: BranchDiffView, paint: Paint): string {
  const { a, b, ancestor, changes, steps, same, effects } = view;
  const bold = (text: string): string => paint.style('bold', text);
  const head = `${bold(`${a.branch}...${b.branch}`)}  one path up to ${ancestor.branch}@${ancestor.revision}\n`;
  if (changes.length + steps.length + effects.length === 0) return `${head}no difference, ${stepsText(same)} the same\n`;
  const forks = changes.flatMap((fork) => [
    `${bold(fork.branch)}  ${oneLine(fork.cause)} from ${fork.parent.branch}@${fork.parent.revision}, by ${oneLine(fork.actor)}: ${oneLine(fork.reason)}`,
    ...changesText(fork.changes as unknown as readonly Change[]).map((change) => `    ${change}`),
    ...choicesText(fork.effects).map((choice) => `    ${choice}`),
  ]);
  const rows = [
    ...steps.flatMap(({ step, differs, a: left, b: right }) =>
      left === null || right === null
        ? [[step, 'there', left === null ? '-' : outcomeText(left), right === null ? '-' : outcomeText(right)]]
        : differs.map((field, i) => [i === 0 ? step : '', field, cell(left, field), cell(right, field)]),
    ),
    ...effects.map(({ key, a: left, b: right }) => [`effect ${key}`, 'status', effectText(left), effectText(right)]),
    ...totals(a, b),
  ];
  const body = table(['STEP', 'WHAT', a.branch, b.branch], rows, bold);
  const left = `${bold(a.branch)}  ${sideText(a)}\n`;
  return `${head}${left}${forks.map((line) => `${line}\n`).join('')}\n${body}${paint.style('dim', `${stepsText(same)} the same`)}\n`;
}

/** What became of the side that is compared with, and why it could not go on: the second of the three lines that say it all. */
function sideText({ outcome, failure }: BranchDiffSide): string {
  if (failure === undefined) return outcome;
  const { step, bucket, attempts, message } = failure;
  const times = attempts === undefined ? '' : `, ${attempts}`;
  return oneLine(`${outcome}; ${step === undefined ? '' : `${step} `}failed ${bucket}${times}: ${message}`);
}

const stepsText = (count: number): string => (count === 1 ? '1 step is' : `${count} steps are`);

function cell(side: BranchDiffStep, field: keyof BranchDiffStep): string {
  const value = side[field];
  if (value === undefined || value === null) return '-';
  if (field === 'failure') {
    const { bucket, code, message } = side.failure ?? { message: '' };
    return [bucket, code, message].filter(Boolean).join(': ').slice(0, CELL_MAX);
  }
  if (field === 'verdict') return verdictText(side.verdict).slice(0, CELL_MAX);
  if (field === 'output') return shortHash(String(value));
  return typeof value === 'string' ? value : brief(value, CELL_MAX);
}

function verdictText(verdict: BranchDiffStep['verdict']): string {
  if (verdict === undefined) return '-';
  const { verdict: said, by, edits } = verdict;
  return oneLine(`${said}${by.length === 0 ? '' : ` by ${by.join(', ')}`}${edits === undefined ? '' : ` ${brief(edits, CELL_MAX)}`}`);
}

const outcomeText = ({ outcome, attempts, queue }: BranchDiffStep): string =>
  `${outcome}${queue === undefined ? '' : `, queue ${queue}, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`}`;

const effectText = (effect: BranchDiffEffect | null): string =>
  effect === null ? '-' : `${effect.status}${effect.suffix === 0 ? '' : ` #${effect.suffix}`}`;

function totals(a: BranchDiffSide, b: BranchDiffSide): string[][] {
  const fields = ['outcome', 'attempts', 'usd', 'seconds'] as const;
  return fields
    .filter((field) => a[field] !== b[field])
    .map((field, i) => [i === 0 ? 'in all' : '', field, String(a[field]), String(b[field])]);
}
