import type { BranchForecast, BranchPlanView } from '@cairn/contracts';

/** A plan for people: what stays, what runs again, what is taken along, and what they must choose. */
export function branchPlanText(plan: BranchPlanView): string {
  const line = (name: string, text: string): string => `  ${name.padEnd(9)} ${text}\n`;
  const list = (texts: readonly string[]): string => (texts.length === 0 ? '-' : texts.join(', '));
  const open = [
    ...plan.problems.map(({ pointer, rule, says }) => `${pointer || '/'} ${rule}: ${says}`),
    ...plan.unresolved.map((what) => `${what}: choose`),
  ];
  return [
    `from ${plan.fork}${plan.checkpoint === null ? '' : ` (checkpoint ${plan.checkpoint})`}, the head is ${plan.head}\n`,
    line('keeps', list(plan.keeps)),
    line('reruns', list(plan.reruns)),
    ...plan.received.map(({ id, says, choice }) => line('received', `${id}  ${says}  ${choice}`)),
    ...plan.effects.map(({ key, step, status, choices, choice }) =>
      line(
        'effect',
        `${key}  ${step}  ${status}  ${choice ?? (choices.length === 0 ? 'nothing to choose' : `choose ${choices.join(' or ')}`)}`,
      ),
    ),
    ...(plan.forecast === undefined ? [] : [line('forecast', forecastText(plan.forecast))]),
    ...open.map((text) => line('open', text)),
    open.length === 0 ? '  it may be opened\n' : '',
  ].join('');
}

/** What it may cost, by what was recorded. */
function forecastText({ sample, usd, seconds, completed }: BranchForecast): string {
  if (sample === 0) return 'none: no run of this workflow has ended yet';
  return `${seconds} s, ${usd} usd, ${Math.round((completed ?? 0) * 100)} % completed, in ${sample} ended ${sample === 1 ? 'run' : 'runs'}`;
}
