import { EXTERNAL_ID_MAX } from '@cairn/kernel';
import { cut } from './cut-text.js';
import { look } from './look.js';

/** What an attempt cost. Counted towards budgets, whether it succeeded or not. */
export interface Usage {
  readonly usd?: number;
  readonly tokensIn?: number;
  readonly tokensOut?: number;
  readonly model?: string;
}

/** What of a value is usage, with only what the server takes. */
export function usageOf(value: unknown): Usage | undefined {
  const [usd, tokensIn, tokensOut, model] = ['usd', 'tokensIn', 'tokensOut', 'model'].map((field) => look(value, field));
  const usage: Usage = {
    ...(typeof usd === 'number' && Number.isFinite(usd) && usd >= 0 ? { usd } : {}),
    ...(isCount(tokensIn) ? { tokensIn } : {}),
    ...(isCount(tokensOut) ? { tokensOut } : {}),
    ...(typeof model === 'string' ? { model: cut(model, EXTERNAL_ID_MAX) } : {}),
  };
  return Object.keys(usage).length === 0 ? undefined : usage;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
