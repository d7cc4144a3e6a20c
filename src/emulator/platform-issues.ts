// The issues of a platform file in words: path, what was expected, what came.
//
// Source: https://valibot.dev/guides/issues/. A secret, a token or a private key is described by its type alone.
import type * as v from 'valibot';

/** One line an issue. */
export function describeIssues(issues: readonly v.BaseIssue<unknown>[]): string[] {
  return issues.map((issue) => {
    const keys = (issue.path ?? []).map((item) => item.key);
    const received = isConfidential(keys) ? typeInWords(issue.input) : inWords(issue.received);
    return `${formatPath(keys)}: expected ${issue.message}, received ${received}`;
  });
}

/** `services["my db"].instances[0].ipv4`. Keys are quoted as JSON where they are no plain word. */
function formatPath(keys: readonly unknown[]): string {
  const path = keys.map((key) => {
    if (typeof key === 'number') return `[${key}]`;
    const word = String(key);
    return /^[A-Za-z_][\w-]*$/.test(word) ? `.${word}` : `[${JSON.stringify(word)}]`;
  });
  return path.join('').replace(/^\./, '') || 'the file';
}

function isConfidential(keys: readonly unknown[]): boolean {
  return keys[0] === 'secrets' || keys[0] === 'token' || keys[0] === 'certificates';
}

function inWords(received: string): string {
  return received === 'undefined' ? 'nothing' : received;
}

function typeInWords(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  if (input === '') return 'empty text';
  return typeNames[typeof input] ?? 'an object';
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
};
