export { introducePolicy } from './policy/decide.js';
export { judgeFailure, type FailedAttempt, type Judgement } from './judgement/judge-failure.js';
export { classify, type JudgedFailure } from './judgement/classify.js';
export { delayMs } from './judgement/backoff.js';
