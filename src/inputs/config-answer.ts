// What a process that evaluates a config for us (config-in-child.ts) writes to its descriptor 3: one line of JSON.
import type { StartError } from '../errors.ts';

export const answerFd = 3;

export type ConfigAnswer =
  | { readonly kind: 'value'; readonly path: string; readonly value: unknown }
  | { readonly kind: 'no-file' }
  | {
      readonly kind: 'error';
      readonly code: string;
      readonly message: string;
      readonly exitCode: number;
      readonly remedy: { readonly where: string; readonly fix: string };
    };

/** What JSON cannot hold is what we do not use: big integers become text, and what contains itself is left out. */
export function encodeAnswer(answer: ConfigAnswer): string {
  const ancestors: unknown[] = [];
  const replace = function replace(this: unknown, _key: string, item: unknown): unknown {
    while (ancestors.length > 0 && ancestors.at(-1) !== this) {
      ancestors.pop();
    }

    if (typeof item === 'bigint') {
      return `${item}`;
    }

    if (typeof item === 'object' && item !== null) {
      if (ancestors.includes(item)) {
        return undefined;
      }

      ancestors.push(item);
    }

    return item;
  };
  return `${JSON.stringify(answer, replace)}\n`;
}

export function encodeError({ code, message, exitCode, remedy }: StartError): string {
  return encodeAnswer({ kind: 'error', code, message, exitCode, remedy });
}

/** Of the first line. Undefined: there is none. */
export function parseAnswer(text: string): ConfigAnswer | undefined {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Of our own process.
    return JSON.parse(text.split('\n', 1)[0] ?? '') as ConfigAnswer;
  } catch {
    return undefined;
  }
}
