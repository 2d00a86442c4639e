export { applyPolicy, introducePolicy } from './policy/decide.js';
export { changesWork, judgeFailure, type Judgement } from './judgement/judge-failure.js';
export type { Work } from './judgement/changed-work.js';
export type { FailedAttempt } from './judgement/failed-attempt.js';
export { waysLeft, type DeclaredWays, type TakenWays, type WaysOn } from './judgement/ways-on.js';
