// What is wrong in a config, as text for people: path, what was expected, what came.
//
// What may be a secret is shown as its type alone.
import type { BaseIssue } from 'valibot';
import { suggestion } from './suggest.ts';

/** One thing wrong in the config. */
export type Problem = {
  /** `init.user`, `ist[0].hostnames[1]`; empty for the config as a whole. */
  readonly path: string;
  readonly expected: string;
  readonly received: string;
  readonly suggestion?: string;
};

export function describeProblem(problem: Problem): string {
  const { path, expected, received, ...rest } = problem;
  const question = rest.suggestion === undefined ? '' : ` (did you mean ${rest.suggestion}?)`;
  if (isUnknownKey(problem)) {
    return `${path}: unknown key${question}, expected ${expected}`;
  }

  return `${path === '' ? 'the config' : path}: expected ${expected}, received ${received}${question}`;
}

export function problemOf(issue: BaseIssue<unknown>): Problem {
  const path = formatPath((issue.path ?? []).map(({ key }) => key));
  const [expected = '', suggested] = issue.message.split('\n');
  const isKey = issue.path?.at(-1)?.origin === 'key';
  const received =
    isKey && issue.input !== undefined
      ? unknownKey
      : mayBeSecret(path)
        ? typeName(issue.input)
        : describeValue(issue.input);
  return { path, expected, received, ...suggestion(suggested) };
}

/** What may hold a credential, or has one where its name should be. */
const secretPlaces =
  /^(?:args|variables|deployment\.variables|init\.secrets\.env|init\.reload\.command)\b/;

function mayBeSecret(path: string): boolean {
  return secretPlaces.test(path);
}

const unknownKey = 'an unknown key';

export function isUnknownKey({ received }: Problem): boolean {
  return received === unknownKey;
}

function formatPath(keys: readonly unknown[]): string {
  return keys.map(formatKey).join('').replace(/^\./, '');
}

function formatKey(key: unknown): string {
  const isWord = typeof key === 'string' && /^[\w$]+$/.test(key);
  return isWord ? `.${key}` : `[${JSON.stringify(key)}]`;
}

const shownCharacters = 80;

/** The value itself where it is short text or a number, else its type. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') {
    const isLong = value.length > shownCharacters;
    return JSON.stringify(isLong ? `${value.slice(0, shownCharacters)}…` : value);
  }

  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeName(value);
}

/** `a string`, `an object`, `nothing`: never the value. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) {
    return value === null ? 'null' : 'nothing';
  }

  if (Array.isArray(value)) {
    return 'an array';
  }

  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
