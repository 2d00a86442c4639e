/** What doors find the assembled service under, and what others take the desk from. */
export const EXECUTION: unique symbol = Symbol('Execution');
export const WORK_DESK: unique symbol = Symbol('WorkDesk');
