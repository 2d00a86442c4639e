export { applyPolicy, introducePolicy } from './policy/decide.js';
export { judgeFailure, type Judgement } from './judgement/judge-failure.js';
export type { FailedAttempt } from './judgement/failed-attempt.js';
export type { JudgedFailure, Normalised } from './judgement/normalise/failure.js';
export { normalise } from './judgement/normalise/normalise.js';
