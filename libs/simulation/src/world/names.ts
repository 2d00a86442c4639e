/** The one namespace of the simulated world. */
export const NS = 'sim';
/** CloudEvents source of everything that the simulated outside sends. */
export const SOURCE = '/outside';
