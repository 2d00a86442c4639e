import { sha256Hex } from '@cairn/kernel';

const MULTIPLIER = 6_364_136_223_846_793_005n;
const MASK = (1n << 64n) - 1n;
const LOW = 0xffff_ffff;
const [MULTIPLIER_HIGH, MULTIPLIER_LOW] = [Number(MULTIPLIER >> 32n), Number(MULTIPLIER & 0xffff_ffffn)];

/**
 * PCG-XSH-RR 64/32 (O'Neill 2014): small, fast, equal on every machine. The 64-bit state is kept in two 32-bit halves, as bigints
 * would cost ten times as much.
 */
export class Pcg32 {
  private high = 0;
  private low = 0;
  private readonly incrementHigh: number;
  private readonly incrementLow: number;

  /** `stream` picks one of 2^63 sequences; two of them never run in step. */
  constructor(
    private readonly seed: bigint,
    stream: bigint = 54n,
  ) {
    const increment = ((stream << 1n) | 1n) & MASK;
    this.incrementHigh = Number(increment >> 32n);
    this.incrementLow = Number(increment & 0xffff_ffffn);
    this.step();
    const sum = (((BigInt(this.high) << 32n) | BigInt(this.low)) + (seed & MASK)) & MASK;
    this.high = Number(sum >> 32n);
    this.low = Number(sum & 0xffff_ffffn);
    this.step();
  }

  /** A generator of its own for one concern: its draws shift nobody else's, however many there are. */
  fork(name: string): Pcg32 {
    const digest = sha256Hex(`${this.seed}/${name}`);
    return new Pcg32(BigInt(`0x${digest.slice(0, 16)}`), BigInt(`0x${digest.slice(16, 32)}`));
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    const { high, low } = this;
    this.step();
    // xorshifted = ((state >> 18) ^ state) >> 27, its low 32 bits; then rotated right by the state's top 5 bits.
    const xorHigh = (high ^ (high >>> 18)) >>> 0;
    const xorLow = (low ^ ((low >>> 18) | (high << 14))) >>> 0;
    const shifted = ((xorLow >>> 27) | (xorHigh << 5)) >>> 0;
    const rotation = high >>> 27;
    return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0;
  }

  /** Uniform in [0, 1), with 32 bits. */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Uniform among 0 … below - 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** state = state * MULTIPLIER + increment, mod 2^64. */
  private step(): void {
    const { high, low } = this;
    const product = multiply(low, MULTIPLIER_LOW);
    const sumLow = product.low + this.incrementLow;
    const carry = sumLow > LOW ? 1 : 0;
    this.low = sumLow >>> 0;
    this.high = (product.high + Math.imul(high, MULTIPLIER_LOW) + Math.imul(low, MULTIPLIER_HIGH) + this.incrementHigh + carry) >>> 0;
  }
}

/** 32 × 32 → 64 bits, by halves of 16. */
function multiply(a: number, b: number): { high: number; low: number } {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const lowLow = aLow * bLow;
  const middle = aHigh * bLow + (lowLow >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return {
    low: (((cross & 0xffff) << 16) | (lowLow & 0xffff)) >>> 0,
    high: (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0,
  };
}
