import { spanText } from '@cairn/kernel';
import { said } from './facts.js';

/** Why a failure was not tried again, as part of a sentence. Made from the `rule` of a justification: `mine@3#rate_limited; attempts 3 of 3`. */
export function verdictText(justified: string, bucket: string): string {
  const { policy, rule, reason, passedOver } = partsOf(justified);
  if (reason !== undefined) {
    const why = limitText({ policy, rule, reason }) ?? argumentText({ policy, rule, reason });
    return passedOver === undefined ? why : `${why}; ${passedOverText({ policy, rule, reason: passedOver })}`;
  }
  if (!isUnclassified(rule)) return `rule ${rule} does not try again`;
  return bucket === 'unclassified'
    ? `what nobody recognises is never tried again (rule ${rule})`
    : `policy ${policy} has no rule that holds for it, and what it has no rule for is never tried again (rule ${rule})`;
}

/** Whether a limit or a missing argument ended it, and not the rule itself. */
export const hasReason = (justified: string): boolean => partsOf(justified).reason !== undefined;

interface Parts {
  readonly policy: string;
  readonly rule: string;
  readonly reason?: string;
  /** `no fallback: perRun 25 of 25`: a way that was left, and why it was not gone. */
  readonly passedOver?: string;
}

function partsOf(justified: string): Parts {
  const [rule = '?', reason, passedOver] = justified.split('; ', 3);
  const [policy = '?'] = rule.split('#', 1);
  return { policy, rule, ...(reason === undefined ? {} : { reason }), ...(passedOver === undefined ? {} : { passedOver }) };
}

function passedOverText({ policy, rule, reason }: Ended): string {
  const [, way = reason, why = ''] = /^(no [a-z ]+): (.*)$/s.exec(reason) ?? [];
  const because = why.startsWith('side effect') ? 'what may have happened outside is not known' : limitText({ policy, rule, reason: why });
  return `${way} is taken, since ${because ?? said(why)}`;
}

/** `mine@3#unclassified`, and one of several rules for it: `mine@3#unclassified[1]`. */
const isUnclassified = (rule: string): boolean => /#unclassified(\[\d+\])?$/.test(rule);

interface Ended {
  readonly policy: string;
  readonly rule: string;
  readonly reason: string;
}

/** `attempts 3 of 3`, `elapsed 61000 of 60000 ms`. */
const LIMIT = /^(attempts|perStep|perRun|elapsed|pause|usd) ([\d.e+-]+) of ([\d.e+-]+)/;

function limitText({ policy, rule, reason }: Ended): string | undefined {
  const [, limit = '', reached = '', most = ''] = LIMIT.exec(reason) ?? [];
  switch (limit) {
    case 'attempts':
      return usedUp(reached, most, `rule ${rule} allows`);
    case 'perStep':
      return usedUp(reached, most, `policy ${policy} allows a step (limits.perStep)`);
    case 'perRun':
      return `${reached} attempts of the run have failed, and policy ${policy} bears ${most} in a run (limits.perRun)`;
    case 'elapsed':
      return `another attempt would begin ${span(reached)} after the first failure, and none may later than ${span(most)} after it (elapsed, rule ${rule})`;
    case 'pause':
      return `another attempt would have to wait ${span(reached)}, and no pause may be longer than ${span(most)} (rule ${rule})`;
    case 'usd':
      return `the run has cost ${reached} USD, and policy ${policy} allows ${most} (limits.usd)`;
    default:
      return undefined;
  }
}

function argumentText({ rule, reason }: Ended): string {
  switch (reason) {
    case 'no new evidence':
      return `rule ${rule} asks for new evidence, and this failure shows nothing that earlier ones did not`;
    case 'no expected change':
      return `rule ${rule} does not say what would be different next time (expects)`;
    case 'side effect unknown':
      return `something may have happened outside, which nobody knows, so rule ${rule} does not try again`;
    case 'side effect applied':
      return `its handler says that something happened outside, so rule ${rule} does not try again`;
    case 'modify changes nothing':
      return `the attempt was given what rule ${rule} would change it to (modify), so there is nothing more to change`;
    case 'not retried':
      return `rule ${rule} does not try again`;
    default:
      return `rule ${rule} does not try again (${said(reason)})`; // What of a patch does not fit, in words; or judged by a release that knew more reasons.
  }
}

/** A step may have had more attempts than the rule of its newest failure allows: others were allowed by other rules. */
const usedUp = (reached: string, most: string, allowedBy: string): string =>
  reached === most
    ? `all ${reached} of ${most} attempts that ${allowedBy} are used`
    : `${reached} attempts were made, more than the ${most} that ${allowedBy}`;

const span = (ms: string): string => spanText(Number(ms));
