/** Events that hand a run over to somebody, or end it: what the world hears of. Steps that simply succeed are not among them. */
export const handOverTypes = [
  'RunStarted',
  'StepFailed',
  'RetryDecided',
  'WaitOpened',
  'WaitSatisfied',
  'WaitExpired',
  'EffectUnknown',
  'EventEmitted',
  'RunPaused',
  'RunUnpaused',
  'RunCancelled',
  'RunCompleted',
  'RunFailed',
  'RunGaveUp',
  'BranchSuperseded',
  'BranchOpened',
] as const;
