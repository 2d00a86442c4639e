import assert from 'node:assert/strict';
import type { Line, LineMessage } from '@cairn/ports';
import { waitUntil } from '../../wait-until.js';
import type { LineHarness } from './harness.js';

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

export const bytes = (text: string): Uint8Array => encoder.encode(text);
export const text = (data: Uint8Array): string => decoder.decode(data);

/** A listener that writes down what it hears. */
export class Ear {
  readonly messages: LineMessage[] = [];
  private listening = { stop: (): void => undefined };

  static async on(harness: LineHarness, line: Line, subject: string, hear: (message: LineMessage) => void = () => undefined): Promise<Ear> {
    const ear = new Ear(harness.patienceMs);
    ear.listening = line.listen(subject, (message) => {
      ear.messages.push(message);
      hear(message);
    });
    await harness.heard();
    return ear;
  }

  private constructor(private readonly patienceMs: number) {}

  get heard(): string[] {
    return this.messages.map(({ subject, data }) => `${subject} ${text(data)}`);
  }

  /** Waits until it has heard so much, and refuses more. */
  async has(count: number): Promise<this> {
    await waitUntil(`it heard ${count}`, () => this.messages.length >= count, this.patienceMs);
    assert.equal(this.messages.length, count, 'heard more than was said');
    return this;
  }

  stop(): void {
    this.listening.stop();
  }
}

export const refused = (code: string) => (error: unknown) => error instanceof Error && 'code' in error && error.code === code;
