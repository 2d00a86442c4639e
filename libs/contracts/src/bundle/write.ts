import { canon, sha256Hex } from '@cairn/kernel';
import type { BundleContent } from './format.js';

/** Chains what it is given into the lines of one bundle. The same contents in the same order give the same bytes. */
export class BundleWriter {
  private n = 0;
  private prev = '';

  /** One line with its line feed. */
  line(content: BundleContent): string {
    this.n += 1;
    const placed = { ...content, n: this.n, prev: this.prev };
    this.prev = sha256Hex(canon(placed));
    return `${canon({ ...placed, hash: this.prev })}\n`;
  }

  /** The last line: it counts itself. */
  end(): string {
    return this.line({ kind: 'end', lines: this.n + 1 });
  }
}
