// Where an option comes from: the command line, `WARP_INIT_*` or `init` of the config; the first that has it counts.
import type { CheckedInit } from './config-schema.ts';
import { runOptions, usageError, variableOf } from './run-options.ts';
import type { OptionName, RawOptions } from './run-options.ts';
import { refuseWord } from './suggest.ts';
import type { Parsed } from './suggest.ts';

export type SettingSources = {
  readonly commandLine: RawOptions;
  readonly environment: RawOptions;
  readonly init: CheckedInit;
};

type Given = { readonly label: string; readonly raw: NonNullable<RawOptions[OptionName]> };

/** The first source that has the option, and what the operator calls it there. */
export function given(
  { commandLine, environment, init }: SettingSources,
  name: OptionName,
): Given | undefined {
  const key = runOptions[name].init;
  const [label, raw] =
    commandLine[name] !== undefined
      ? [`--${name}`, commandLine[name]]
      : environment[name] !== undefined
        ? [variableOf(name), environment[name]]
        : [`init.${key}`, key === undefined ? undefined : init[key]];
  return raw === undefined ? undefined : { label, raw };
}

type Parse<T> = (text: string) => Parsed<T>;

export function value<T>(
  sources: SettingSources,
  name: OptionName,
  parse: Parse<T>,
): T | undefined {
  const found = given(sources, name);
  return found === undefined ? undefined : parseOne(found, found.raw, parse);
}

export function list<T>(sources: SettingSources, name: OptionName, parse: Parse<T>): readonly T[] {
  const found = given(sources, name);

  if (found === undefined) {
    return [];
  }

  const items: readonly unknown[] = Array.isArray(found.raw) ? found.raw : [found.raw];
  return items.map((item) => parseOne(found, item, parse));
}

export function flag(sources: SettingSources, name: OptionName): boolean | undefined {
  const found = given(sources, name);

  if (found === undefined) {
    return undefined;
  }

  if (typeof found.raw === 'boolean') {
    return found.raw;
  }

  throw usageError({
    label: found.label,
    received: JSON.stringify(found.raw),
    expected: 'no value',
  });
}

export function parseOne<T>({ label }: Given, raw: unknown, parse: Parse<T>): T {
  const result: Parsed<T> =
    typeof raw === 'string' ? parse(raw) : { ok: false, expected: 'one value' };

  if (!result.ok) {
    throw usageError({ label, received: JSON.stringify(raw), ...result });
  }

  return result.value;
}

export function wordOf<Word extends string>(words: readonly Word[]): Parse<Word> {
  return (text) => {
    const word = words.find((known) => known === text);
    return word === undefined ? refuseWord(text, words) : { ok: true, value: word };
  };
}
