export { CALLBACK_KEY_BYTES_MIN, CALLBACK_KEYS_MAX, hmacCallbackTokens, type CallbackKey } from './callback-tokens.js';
export { systemClock, systemIds, systemRandomness } from './system.js';
