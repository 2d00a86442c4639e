/** Positions of one block. Finer blocks cost more rows on the way in, coarser ones more reading for a tail of rare types. */
const BLOCK = 256;

export const blockOf = (pos: number): number => Math.floor(pos / BLOCK);
export const firstOf = (block: number): number => block * BLOCK;
export const lastOf = (block: number): number => block * BLOCK + BLOCK - 1;
