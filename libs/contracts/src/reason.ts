import { isPlainText } from '@cairn/kernel';
import { z } from 'zod';
import { REASON_MAX } from './http.js';

/** Why a person does something: it stands in the history for good. */
export const reason = z
  .string()
  .min(1, { abort: true })
  .max(REASON_MAX, { abort: true })
  .refine((text) => isPlainText(text, REASON_MAX), { error: 'must be text without controls', params: { rule: 'invalid_text' } });
