// The only places where a secret's value lives while this program holds it: as text, and as bytes.

const inspect = Symbol.for('nodejs.util.inspect.custom');

/**
 * A secret string. Every way of turning it into text gives `[secret]`, except {@link reveal}: a search
 * for `reveal(` lists each place where a secret leaves this program.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text inside, for the app's environment and files and for nothing else. */
  reveal(): string {
    return this.#text;
  }

  isEmpty(): boolean {
    return this.#text === '';
  }

  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect](): string {
    return '[secret]';
  }
}

/** The bytes of a file that is a secret, or that may hold one. As {@link Secret} it shows them nowhere. */
export class SecretBytes {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static ofText(text: string): SecretBytes {
    return new SecretBytes(new TextEncoder().encode(text));
  }

  /** The bytes inside, for the app's files and for nothing else. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect](): string {
    return '[secret]';
  }
}
