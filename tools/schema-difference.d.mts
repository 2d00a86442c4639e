export function differences(before: unknown, after: unknown): string[];
