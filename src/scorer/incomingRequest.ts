import { IncomingMessage } from 'node:http';
import { RequestProblem } from '../inference/problem.ts';

const noBytes = Buffer.alloc(0);

/** Who waits for the rest of a body. */
interface Reader {
  readonly limit: number;
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A request whose body is taken as a whole. Its pieces do not go through the queue and the events of a stream, which
 * would take a tenth of the processor time of a small prediction; so nothing else can be read from it as from one.
 */
export class IncomingRequest extends IncomingMessage {
  /**
   * So that the server forgets the request with its answer, and does not wait for the end of a stream. One that was answered
   * ahead of the end of its body stays until the connection sends the next.
   */
  override readableEnded = false;
  #first: Buffer | null = null;
  /** Most bodies are one piece. */
  #further: Buffer[] | null = null;
  #bytes = 0;
  #reader: Reader | null = null;
  #isUnwanted = false;

  /**
   * Told by the parser of each piece, and of null at the end.
   *
   * @returns whether more is wanted now; else the connection is not read until the body is asked for.
   */
  override push(piece: Buffer | null): boolean {
    if (piece === null) {
      this.readableEnded = true;
      this.#readOn();
      this.#endReading()?.resolve(this.#takeAll());
      return true;
    }
    if (this.#isUnwanted) return true;
    if (!this.#first) this.#first = piece;
    else if (this.#further) this.#further.push(piece);
    else this.#further = [piece];
    this.#bytes += piece.length;
    const reader = this.#reader;
    if (!reader) return this.#bytes < this.readableHighWaterMark;
    if (this.#bytes > reader.limit) {
      this.discard();
      this.#endReading()?.reject(tooLarge(reader.limit));
    }
    return true;
  }

  /**
   * The whole body, at once when it is there. To be asked for once.
   *
   * @param limit bytes that it may have.
   * @throws RequestProblem 413 when it has more; Error when the client went away before the end.
   */
  body(limit: number): Buffer | Promise<Buffer> {
    if (this.#bytes > limit) {
      this.discard();
      throw tooLarge(limit);
    }
    if (this.complete) return this.#takeAll();
    // It has told of its end by now, and will not again.
    if (this.destroyed) throw new Error('The client went away.');
    return new Promise((resolve, reject) => {
      this.once('close', () => this.#endReading()?.reject(new Error('The client went away.')));
      this.#reader = { limit, resolve, reject };
      this.#readOn();
    });
  }

  /** Lets past what is left of the body, so that the client comes to read the answer. */
  discard(): void {
    this.#isUnwanted = true;
    this.#first = null;
    this.#further = null;
    this.#bytes = 0;
    this.#readOn();
  }

  #takeAll(): Buffer {
    const first = this.#first ?? noBytes;
    const further = this.#further;
    this.#first = null;
    this.#further = null;
    return further ? Buffer.concat([first, ...further]) : first;
  }

  /** The promise of a body keeps it, and the reader the promise; a request may outlive both. */
  #endReading(): Reader | null {
    const reader = this.#reader;
    this.#reader = null;
    return reader;
  }

  /** Lets the connection be read further, and tells the server that the body has a reader: else it throws it away. */
  #readOn(): void {
    this._read(0);
  }
}

/** A body has more bytes than it may have. */
export function tooLarge(limit: number): RequestProblem {
  return new RequestProblem(413, `The body is larger than the ${limit} bytes that are allowed.`);
}
