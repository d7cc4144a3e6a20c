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
  { env, dotenv }: Pick<Settings['secrets'], 'env' | 'dotenv'>,
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
          bulk.set(name, bulk.get(name) ?? toVariable(name, new Secret(text), wish.identifier));
        }
        break;
      case 'all': {
        // A document was asked for by its name, this secret was not.
        const earlier = bulk.get(wish.variable);
        bulk.set(wish.variable, earlier ?? toVariable(wish.variable, secret, wish.identifier));
        break;
      }
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

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

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

type Granted = { readonly wish: WantedSecret; readonly secret: Secret };

function grant(
  wishes: readonly WantedSecret[],
  fetched: ReadonlyMap<string, Secret>,
  { allowEmpty }: SecretRules,
): readonly Granted[] {
  const unknown = wishes.filter(({ identifier }) => !fetched.has(identifier));
  const granted = wishes.flatMap((wish) => {
    const secret = fetched.get(wish.identifier);
    return secret === undefined ? [] : [{ wish, secret }];
  });
  const empty = granted.filter(
    ({ wish, secret }) => secret.isEmpty() && !allowEmpty.has(wish.identifier),
  );
  const withNul = granted.filter(({ secret }) => secret.reveal().includes('\0'));

  refuse(unknown, {
    code: 'E_SECRET_UNKNOWN',
    rule: 'the platform has none of that identifier for this container',
    fix: 'Create the scoped variable in the environment and give this container access to it, or correct the identifier.',
  });
  refuse(
    empty.map(({ wish }) => wish),
    {
      code: 'E_SECRET_EMPTY',
      rule: 'the platform serves an empty value, as it does where it could not fetch a remote secret',
      fix: 'Give the scoped variable a value, or add its identifier to init.secrets.allowEmpty.',
    },
  );
  refuse(
    withNul.map(({ wish }) => wish),
    {
      code: 'E_SECRET_NUL',
      rule: 'the value holds a NUL, which no variable can hold',
      fix: 'Store the value as text, for example in base64.',
    },
  );

  return granted;
}

type Refusal = { readonly code: string; readonly rule: string; readonly fix: string };

function refuse(wishes: readonly WantedSecret[], { code, rule, fix }: Refusal): void {
  const [first] = wishes;

  if (first !== undefined) {
    const message = `Cannot use ${wishes.map(describeWish).join(', ')}: ${rule}`;
    throw new StartError(code, message, {
      exitCode: exitStatus.config,
      remedy: { where: first.where, fix },
    });
  }
}

function describeWish(wish: WantedSecret): string {
  const target = wish.kind === 'dotenv' ? wish.where : `variable ${wish.variable} (${wish.where})`;
  return `secret "${wish.identifier}" for ${target}`;
}
