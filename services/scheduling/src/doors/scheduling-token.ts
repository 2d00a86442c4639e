/** What doors find the assembled service under. */
export const SCHEDULING: unique symbol = Symbol('Scheduling');
