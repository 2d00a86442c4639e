import { styleText } from 'node:util';
import type { Surroundings } from './surroundings.js';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Colours text for a terminal; elsewhere, and under `NO_COLOR`, it is left alone. */
export class Paint {
  readonly #on: boolean;

  constructor({ tty, env }: Pick<Surroundings, 'tty' | 'env'>) {
    this.#on = tty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  }

  style(style: Style, text: string): string {
    return this.#on ? styleText(style, text) : text;
  }

  /** A state or outcome in its colour: what needs a person is loud, what is fine is not. */
  state(state: string, text = state): string {
    if (['blocked', 'escalated', 'failed', 'gave_up', 'refused', 'unknown'].includes(state)) return this.style('red', text);
    if (['waiting', 'in_review', 'retrying', 'near_miss', 'late', 'unmatched', 'stale', 'intended'].includes(state))
      return this.style('yellow', text);
    return ['complete', 'succeeded', 'started', 'woke', 'satisfied', 'confirmed'].includes(state) ? this.style('green', text) : text;
  }
}
