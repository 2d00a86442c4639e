/**
 * Names of deliberate faults that the simulation plants to see its oracle bark (`reliability.md` §5): `M-5`, `M-7`, `M-8`, `M-10`,
 * `M-11`, `M-24`. Each is read in one place. Always empty outside of simulation.
 */
export type Mutants = ReadonlySet<string>;

export const noMutants: Mutants = new Set();
