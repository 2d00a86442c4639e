/** What Nest injects the ports under. One symbol for each port; only a composition root binds them. */
export const EVENT_STORE: unique symbol = Symbol('EventStore');
export const BUS: unique symbol = Symbol('Bus');
/** A `Line`, or `undefined` in the embedded default, where nobody else is there to be spoken to. */
export const LINE: unique symbol = Symbol('Line');
export const ARTIFACTS: unique symbol = Symbol('Artifacts');
export const DISPOSABLES: unique symbol = Symbol('Disposables');
/** Every fold of this process, for whoever makes them anew. */
export const FOLDS: unique symbol = Symbol('Folds');
/** What signs the links that tasks are given. */
export const CALLBACK_TOKENS: unique symbol = Symbol('CallbackTokens');
export const CLOCK: unique symbol = Symbol('Clock');
export const IDS: unique symbol = Symbol('Ids');
export const RANDOMNESS: unique symbol = Symbol('Randomness');
export const METRICS: unique symbol = Symbol('Metrics');
