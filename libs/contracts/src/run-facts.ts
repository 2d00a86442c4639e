/** Everything that happens to a review is somebody's business: people wait for it. */
export const reviewFactTypes = [
  'ReviewOpened',
  'ReviewClaimed',
  'ReviewReleased',
  'ReviewReassigned',
  'ReviewCommented',
  'VoteCast',
  'ReviewDecided',
  'ReviewEscalated',
  'ReviewExpired',
  'ReviewClosed',
] as const;

/** Events that hand a run over to somebody, or end it: what the world hears of. Steps that simply succeed are not among them. */
export const handOverTypes = [
  'RunStarted',
  'StepFailed',
  'RetryDecided',
  'WaitOpened',
  'WaitSatisfied',
  'WaitExpired',
  'ReviewRequested',
  'ReviewEscalated',
  'VerdictApplied',
  'ReviewWithdrawn',
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
