export { applyPolicy, introducePolicy } from './policy/decide.js';
export { judgeFailure, type Judgement } from './judgement/judge-failure.js';
export type { FailedAttempt } from './judgement/failed-attempt.js';
