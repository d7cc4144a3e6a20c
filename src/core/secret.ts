// The only place where a secret's value lives while this program holds it.

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
