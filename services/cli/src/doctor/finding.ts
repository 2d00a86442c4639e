/** What one check found. */
export interface Finding {
  /** Stable: scripts look for it. */
  readonly check: string;
  /** `unseen`: it does not apply here, or cannot be seen from here; which, is said. */
  readonly status: 'ok' | 'failed' | 'unseen';
  readonly says: string;
  /** One line each. */
  readonly details?: readonly string[];
  /** The command that mends it, of each failure. */
  readonly fix?: string;
  /** It failed because nobody answers there. */
  readonly unreachable?: true;
}

export const ok = (check: string, says: string, details?: readonly string[]): Finding => ({
  check,
  status: 'ok',
  says,
  ...(details === undefined || details.length === 0 ? {} : { details }),
});

export const unseen = (check: string, says: string): Finding => ({ check, status: 'unseen', says });

export const failed = (check: string, says: string, fix: string, details: readonly string[] = []): Finding => ({
  check,
  status: 'failed',
  says,
  ...(details.length === 0 ? {} : { details }),
  fix,
});

export const unreachable = (check: string, says: string, fix: string): Finding => ({ ...failed(check, says, fix), unreachable: true });
