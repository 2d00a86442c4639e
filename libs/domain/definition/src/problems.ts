import type { FieldError } from '@cairn/kernel';

/** Gathers everything that is wrong with one document, so that an author sees all of it at once (B-23). */
export class Problems {
  readonly errors: FieldError[] = [];
  readonly warnings: FieldError[] = [];

  error(pointer: string, rule: string, says: string): void {
    this.errors.push({ pointer, rule, says });
  }

  /** Whether something at this place, or below it, was refused already: then what is missing there may only have been unreadable. */
  refusedAt(pointer: string): boolean {
    return this.errors.some((error) => error.pointer === pointer || error.pointer.startsWith(`${pointer}/`));
  }

  warning(pointer: string, rule: string, says: string): void {
    this.warnings.push({ pointer, rule, says });
  }
}
