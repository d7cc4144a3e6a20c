// The app's variables as `debug` shows them: each with its origin, and with its value only where that cannot be a secret.
//
// Inherited variables and dotenv files are where credentials are passed (CYCLE_API_TOKEN is one), so their values are
// never shown. The names inside a secret that is a dotenv document are a part of it: they are only counted.
import type { IstName } from './ist.ts';
import {
  type Variable,
  type VariableOrigin,
  type WrittenLayers,
  referencedSecret,
} from './environment.ts';
import type { WantedSecrets } from './secret-references.ts';
import { Secret } from './secret.ts';

/** Why a value is not shown. */
export type HiddenValue =
  | 'inherited'
  | 'dotenv'
  /** `{local: true}`: of the inherited environment or of a dotenv file. */
  | 'local'
  | 'reference'
  | 'secret'
  /** It has CYCLE_API_TOKEN in it. */
  | 'token';

export type DebugVariable = {
  readonly name: string;
  /** `null` where it is hidden. */
  readonly value: string | null;
  readonly hidden: HiddenValue | null;
  readonly origin: VariableOrigin;
  /** What exactly set it: a file, a service, an endpoint, a secret's identifier. */
  readonly from: string | null;
  /** Only for origin `ist`. */
  readonly rule: IstName['rule'] | null;
  /** The identifier of the secret that it is, or is to be. */
  readonly secret: string | null;
};

export type DebugVariables = {
  readonly variables: readonly DebugVariable[];
  /** Inherited ones that the app does not get. */
  readonly removed: readonly string[];
  /** Of secret documents. */
  readonly unnamed: number;
};

export type VariableSources = {
  readonly variables: readonly Variable[];
  readonly written: WrittenLayers;
  readonly wanted: WantedSecrets;
};

export function describeVariables({ variables, written, wanted }: VariableSources): DebugVariables {
  const { inherited } = written;
  const named = variables.filter((variable) => hasPublicName(variable, wanted));
  const kept = new Set(variables.map(({ name }) => name));

  return {
    variables: named.map((variable) => describeVariable(variable, inherited)),
    removed: [...inherited.keys()].filter((name) => !kept.has(name)),
    unnamed: variables.length - named.length,
  };
}

/** The text, or a word for it where it has the token of the platform in it. */
export function withoutToken(text: string, inherited: ReadonlyMap<string, string>): string {
  return holdsToken(text, inherited) ? '[has CYCLE_API_TOKEN in it]' : text;
}

function describeVariable(
  variable: Variable,
  inherited: ReadonlyMap<string, string>,
): DebugVariable {
  const { name, value, origin, from, istRule } = variable;
  const hidden = whyHidden(variable, inherited);

  return {
    name,
    value: hidden === null && typeof value === 'string' ? value : null,
    hidden,
    origin,
    from: from ?? null,
    rule: istRule ?? null,
    secret: origin === 'secret' ? (from ?? null) : (referencedSecret(variable) ?? null),
  };
}

function whyHidden(variable: Variable, inherited: ReadonlyMap<string, string>): HiddenValue | null {
  const { value, origin, from } = variable;
  if (value instanceof Secret || origin === 'secret') {
    return 'secret';
  }

  if (referencedSecret(variable) !== undefined) {
    return 'reference';
  }

  switch (origin) {
    case 'inherited':
    case 'dotenv':
      return origin;
    case 'variables':
      return from !== undefined ? 'local' : holdsToken(value, inherited) ? 'token' : null;
    case 'identity':
    case 'user':
    case 'ist':
      return null;
  }
}

function holdsToken(text: string, inherited: ReadonlyMap<string, string>): boolean {
  const token = inherited.get('CYCLE_API_TOKEN');
  return token !== undefined && token !== '' && text.includes(token);
}

/** False for a name that stands nowhere but in a fetched document. */
function hasPublicName(
  { name, origin, from }: Variable,
  { secrets, isAll }: WantedSecrets,
): boolean {
  return (
    origin !== 'secret' ||
    (isAll && name === from) ||
    secrets.some((wish) => 'variable' in wish && wish.variable === name)
  );
}
