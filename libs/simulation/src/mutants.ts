/**
 * Planted bugs, and the check that must find each (`reliability.md` §4.2). A mutant that no check finds within `MUTANT_SEEDS` means
 * that a promise is not watched.
 */
export const mutants = {
  'M-1': { what: 'append at any revision', firesOneOf: ['I-1', 'I-2', 'I-3'] },
  'M-2': { what: 'the attempt number is part of the effect key', firesOneOf: ['I-16'] },
  'M-3': { what: 'a reply of any attempt is accepted', firesOneOf: ['I-10'] },
  'M-4': { what: 'event ids without the digest of their append', firesOneOf: ['E-1'] },
  'M-5': { what: 'a reply is acknowledged before its append', firesOneOf: ['E-1'] },
  'M-6': { what: 'the relay keeps its bookmark before it publishes', firesOneOf: ['facts'] },
  'M-7': { what: 'timers live in memory alone', firesOneOf: ['I-31'] },
  'M-8': { what: 'the sweep skips waiting runs', firesOneOf: ['I-31'] },
  'M-9': { what: 'the sweep skips open attempts', firesOneOf: ['I-31'] },
  'M-10': { what: 'an early event is not kept', firesOneOf: ['outcome'] },
  'M-11': { what: 'one inbound event counts twice', firesOneOf: ['I-20'] },
  'M-12': { what: 'a deadline is judged by the clock of whoever rang', firesOneOf: ['I-21'] },
  'M-13': { what: 'one attempt too many', firesOneOf: ['I-12'] },
  'M-14': { what: 'the time of a retry is forgotten on restart', firesOneOf: ['I-21'] },
  'M-15': { what: 'exhausted retries end in silence', firesOneOf: ['I-14'] },
  'M-16': { what: 'a verdict counts without the digest of what was looked at', firesOneOf: ['people'] },
  'M-17': { what: 'an expiry approves', firesOneOf: ['I-25', 'I-26'] },
  'M-18': { what: 'both verdicts of a race are applied', firesOneOf: ['I-25'] },
  'M-19': { what: 'the old head acts on', firesOneOf: ['I-8'] },
  'M-20': { what: 'a shadow dispatches an effect', firesOneOf: ['I-9'] },
  'M-21': { what: 'a branch that was announced is opened by nobody else', firesOneOf: ['I-31'] },
  'M-22': { what: 'an effect of which nobody knows is made again', firesOneOf: ['I-17'] },
  'M-23': { what: 'an accepted reply that comes again is written as late', firesOneOf: ['I-10'] },
  'M-24': { what: 'events are told apart by the id of their message alone', firesOneOf: ['I-28', 'I-20'] },
  'M-25': { what: 'a cancellation leaves a wait open', firesOneOf: ['I-30'] },
} as const;
export type MutantId = keyof typeof mutants;

/** Seeds within which each mutant must be found. */
export const MUTANT_SEEDS = 2_000;
