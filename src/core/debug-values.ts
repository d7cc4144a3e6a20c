// The app's variables and secrets in the table.
import type { DebugReport, DebugSecrets } from './debug-report.ts';
import { type Row, display } from './debug-text.ts';
import type { DebugVariable, HiddenValue } from './debug-variables.ts';

/** The inherited ones, which init does not change, are only counted. */
export function variableRows({ variables }: DebugReport): Row[] {
  return variables
    .filter(({ origin, secret }) => origin !== 'inherited' || secret !== null)
    .map((variable) => ({
      label: display(variable.name),
      items: [valueOf(variable), sourceOf(variable)],
      separator: '  ',
    }));
}

export function removedRows({ removedVariables }: DebugReport): Row[] {
  return removedVariables.length === 0
    ? []
    : [{ label: '(removed)', items: removedVariables.map(display) }];
}

export function secretRows({ isAll, wanted, unnamedVariables, held }: DebugSecrets): Row[] {
  return [
    ...wanted.map((wish) => ({
      label: display(wish.identifier),
      items: [useOf(wish), `(${display(wish.where)})`],
      separator: ' ',
    })),
    ...(isAll ? [{ label: '(all)', items: ['init.secrets.env'] }] : []),
    ...(unnamedVariables > 0
      ? [{ label: '(documents)', items: [`${unnamedVariables} variables`] }]
      : []),
    ...(held === null
      ? []
      : [{ label: '(running init)', items: held.length === 0 ? ['has none'] : held.map(display) }]),
  ];
}

function useOf({ variable, path }: DebugSecrets['wanted'][number]): string {
  if (path !== null) {
    return `for ${display(path)}`;
  }

  return variable === null ? 'a dotenv document' : `for ${display(variable)}`;
}

/** A value that fills screens helps nobody; a name is never cut. */
const longestValue = 200;

const hiddenValues = {
  inherited: '(not shown)',
  dotenv: '(not shown)',
  local: '(not shown)',
  reference: '(secret)',
  secret: '(secret)',
  token: '(not shown: has CYCLE_API_TOKEN in it)',
} as const satisfies Record<HiddenValue, string>;

function valueOf({ value, hidden }: DebugVariable): string {
  if (value === null) {
    return hiddenValues[hidden ?? 'secret'];
  }

  return value.length > longestValue
    ? `${display(value.slice(0, longestValue))}… (${value.length} characters)`
    : display(value);
}

function sourceOf({ origin, from, secret }: DebugVariable): string {
  const source = secret ?? from;
  return source === null ? origin : `${origin}: ${display(source)}`;
}
