// Which of the wanted secrets the platform gave, and what may not be done with those that it gave. No message holds a
// secret's value or a part of one.
import { StartError, exitStatus } from '../errors.ts';
import type { SecretRules, WantedSecret } from './secret-references.ts';
import type { Secret } from './secret.ts';

/** A wish, and what it gets. */
type Granted = { readonly wish: WantedSecret; readonly secret: Secret };

/** @throws {StartError} E_SECRET_UNKNOWN, E_SECRET_EMPTY, E_SECRET_NUL: each names every secret that it is about. */
export function grant(
  wishes: readonly WantedSecret[],
  fetched: ReadonlyMap<string, Secret>,
  { allowEmpty }: Pick<SecretRules, 'allowEmpty'>,
): readonly Granted[] {
  const unknown = wishes.filter(({ identifier }) => !fetched.has(identifier));
  const granted = wishes.flatMap((wish) => {
    const secret = fetched.get(wish.identifier);
    return secret === undefined ? [] : [{ wish, secret }];
  });
  const empty = granted.filter(
    ({ wish, secret }) =>
      secret.isEmpty() &&
      !allowEmpty.has(wish.identifier) &&
      !(wish.kind === 'file' && wish.allowEmpty),
  );
  const withNul = granted.filter(
    ({ wish, secret }) => wish.kind !== 'file' && secret.reveal().includes('\0'),
  );

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

export function describeWish(wish: WantedSecret): string {
  return `secret "${wish.identifier}" for ${describeTarget(wish)}`;
}

function describeTarget(wish: WantedSecret): string {
  switch (wish.kind) {
    case 'dotenv':
      return wish.where;
    case 'file':
      return `file ${wish.path} (${wish.where})`;
    case 'reference':
    case 'env':
    case 'all':
      return `variable ${wish.variable} (${wish.where})`;
  }
}
