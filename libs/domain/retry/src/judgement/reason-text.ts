/** Characters of a reason in words: it stands in the history, and what it cites may be long. */
const REASON_MAX = 300;

/** Words as a part of a justification's rule, whose parts a `;` divides. */
export const reasonText = (says: string): string => says.replaceAll(';', ',').slice(0, REASON_MAX);
