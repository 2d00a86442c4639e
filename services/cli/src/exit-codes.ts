/** What `cairn` ends with (`architecture.md` §6): scripts branch on these, so they never change. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notFound: 3, conflict: 4, unreachable: 5 } as const;

/** Another process has the data folder: EX_CONFIG of sysexits.h, as every service of Cairn ends when it cannot be configured. */
export const EXIT_CONFIG = 78;
