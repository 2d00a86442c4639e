import { BUNDLE_LINE_BYTES_MAX } from './format.js';

const LINE_FEED = 0x0a;

/** Cuts bytes that come in pieces into lines. A line longer than `BUNDLE_LINE_BYTES_MAX` is cut where that is reached: it is none. */
export class LineSplitter {
  private pieces: Uint8Array[] = [];
  private length = 0;

  /** The lines that these bytes complete, without their line feeds. */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    let rest = bytes;
    while (rest.length > 0) {
      const end = rest.indexOf(LINE_FEED);
      const piece = end < 0 ? rest : rest.subarray(0, end);
      this.pieces.push(piece);
      this.length += piece.length;
      if (end < 0 && this.length <= BUNDLE_LINE_BYTES_MAX) return;
      yield this.rest();
      rest = end < 0 ? rest.subarray(rest.length) : rest.subarray(end + 1);
    }
  }

  /** What came behind the last line feed. */
  rest(): Uint8Array {
    const line = this.pieces.length === 1 && this.pieces[0] !== undefined ? this.pieces[0] : Buffer.concat(this.pieces, this.length);
    this.pieces = [];
    this.length = 0;
    return line;
  }
}
