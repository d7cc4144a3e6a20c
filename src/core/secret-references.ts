// Which secrets the app wants, and the variables that they become.
//
// Least privilege: nothing is fetched unless it is wanted, by a `warp-secret:IDENTIFIER` reference that is the whole value
// of a variable, or by `init.secrets`. No message holds a secret's value or a part of one.
import { StartError, exitStatus } from '../errors.ts';
import {
  type ResolvedSecrets,
  type Variable,
  type WrittenLayers,
  buildWrittenVariables,
  referencedSecret,
} from './environment.ts';
import { describeWish, grant } from './secret-grants.ts';
import { Secret } from './secret.ts';
import type { Settings } from './settings.ts';
import type { Warning } from './warning.ts';

export type WantedSecret = {
  readonly identifier: string;
  /** Where the wish is written: a file, a path in the config, the inherited environment. */
  readonly where: string;
} & (
  | { readonly kind: 'reference' | 'env' | 'all'; readonly variable: string }
  /** A document gives as many variables as it has. */
  | { readonly kind: 'dotenv' }
  | { readonly kind: 'file'; readonly path: string; readonly allowEmpty: boolean }
);

export type WantedSecrets = {
  readonly secrets: readonly WantedSecret[];
  /** `init.secrets.env: "all"`. */
  readonly isAll: boolean;
};

export type SecretRules = {
  readonly allowEmpty: ReadonlySet<string>;
  /** Only called for documents: without `init.secrets.dotenv` no parser needs to be loaded. */
  readonly parseDotenv: (text: string) => ReadonlyMap<string, string>;
};

/** A reference that `variables` or `init.secrets.env` replaces is not wanted. */
export function findWantedSecrets(
  written: WrittenLayers,
  { env, dotenv, files }: Pick<Settings['secrets'], 'env' | 'dotenv' | 'files'>,
): WantedSecrets {
  const named = env === 'all' ? new Map<string, string>() : env;
  const secrets: WantedSecret[] = [];

  for (const { name: variable, identifier, where } of findReferences(written)) {
    if (!named.has(variable)) {
      secrets.push({ kind: 'reference', identifier, variable, where });
    }
  }

  for (const [variable, identifier] of named) {
    secrets.push({ kind: 'env', identifier, variable, where: `init.secrets.env.${variable}` });
  }

  for (const identifier of dotenv) {
    secrets.push({ kind: 'dotenv', identifier, where: 'init.secrets.dotenv' });
  }

  for (const { secret: identifier, path, allowEmpty } of files) {
    secrets.push({ kind: 'file', identifier, path, allowEmpty, where: 'init.secrets.files' });
  }

  return { secrets, isAll: env === 'all' };
}

export function areSecretsWanted({ secrets, isAll }: WantedSecrets): boolean {
  return isAll || secrets.length > 0;
}

/**
 * @param fetched - By identifier: everything that the platform lets this container see.
 * @throws {StartError} E_SECRET_UNKNOWN, E_SECRET_EMPTY, E_SECRET_NUL: each names every secret that it is about.
 */
export function resolveSecrets(
  wanted: WantedSecrets,
  fetched: ReadonlyMap<string, Secret>,
  rules: SecretRules,
): ResolvedSecrets & { readonly warnings: readonly Warning[] } {
  const all = wanted.isAll ? spellOutAll(fetched) : { secrets: [], reserved: [] };
  const references = new Map<string, Secret>();
  const named: Variable[] = [];
  const bulk = new Map<string, Variable>();

  for (const { wish, secret } of grant([...wanted.secrets, ...all.secrets], fetched, rules)) {
    switch (wish.kind) {
      case 'reference':
        references.set(wish.identifier, secret);
        break;
      case 'env':
        named.push(toVariable(wish.variable, secret, wish.identifier));
        break;
      case 'dotenv':
        for (const [name, text] of rules.parseDotenv(secret.reveal())) {
          // As with dotenv files, earlier documents win.
          bulk.set(name, bulk.get(name) ?? toBulk(name, new Secret(text), wish.identifier));
        }
        break;
      case 'all': {
        // A document was asked for by its name, this secret was not.
        const earlier = bulk.get(wish.variable);
        bulk.set(wish.variable, earlier ?? toBulk(wish.variable, secret, wish.identifier));
        break;
      }
      case 'file':
        // Granted; core/secret-files.ts makes something of it.
        break;
    }
  }

  return { references, named, bulk: [...bulk.values()], warnings: warnReserved(all.reserved) };
}

/** Why a start without a platform ends here, or undefined where no secret is wanted. */
export function refuseWithoutPlatform(wanted: WantedSecrets): StartError | undefined {
  if (!areSecretsWanted(wanted)) {
    return undefined;
  }

  const wishes = wanted.secrets.map(describeWish);
  const subject = wanted.isAll ? ['every secret (init.secrets.env)', ...wishes] : wishes;

  return new StartError(
    'E_SECRET_STANDALONE',
    `Cannot fetch secrets, because there is no platform: neither a socket nor a token. Wanted: ${subject.join(', ')}`,
    {
      exitCode: exitStatus.unavailable,
      remedy: {
        where: wanted.secrets[0]?.where ?? 'init.secrets.env',
        fix: 'Run on the platform or beside `warp-init emulator`, or give these variables plain values.',
      },
    },
  );
}

type Reference = { readonly name: string; readonly identifier: string; readonly where: string };

function findReferences(written: WrittenLayers): readonly Reference[] {
  return buildWrittenVariables(written).flatMap((variable) => {
    const identifier = referencedSecret(variable);
    const { name, origin, from } = variable;
    const where = from ?? (origin === 'variables' ? `variables.${name}` : 'inherited environment');
    return identifier === undefined ? [] : [{ name, identifier, where }];
  });
}

function toVariable(name: string, value: Secret, from: string): Variable {
  return { name, value, origin: 'secret', from };
}

function toBulk(name: string, value: Secret, from: string): Variable {
  return { ...toVariable(name, value, from), isBulk: true };
}

function spellOutAll(fetched: ReadonlyMap<string, Secret>): {
  readonly secrets: readonly WantedSecret[];
  readonly reserved: readonly string[];
} {
  const names = [...fetched.keys()].filter((identifier) => variableName.test(identifier));

  return {
    secrets: names
      .filter((name) => !reservedName.test(name))
      .map((name) => ({
        kind: 'all',
        identifier: name,
        variable: name,
        where: 'init.secrets.env',
      })),
    reserved: names.filter((name) => reservedName.test(name)),
  };
}

export const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names that decide which code runs, or that belong to the platform. */
const reservedName = /^(?:PATH|HOME|BASH_ENV|ENV|IFS|(?:LD|NODE|CYCLE|WARP)_.*)$/;

function warnReserved(reserved: readonly string[]): readonly Warning[] {
  return reserved.length === 0
    ? []
    : [
        {
          code: 'W_SECRET_RESERVED',
          message: `\`init.secrets.env: "all"\` never sets ${reserved.join(', ')}: such names decide which code runs, or belong to the platform`,
          where: 'init.secrets.env',
          fix: 'Rename these secrets, or name each one that you want in init.secrets.env.',
        },
      ];
}
