// A secret whose new value cannot be used (no base64, a broken archive, too long for a variable) keeps its old one, as one
// that became empty does: else an edit of one secret would hold up all that changes beside it.
import type { Secret } from '../core/secret.ts';
import type { Warning } from '../core/warning.ts';
import { StartError } from '../errors.ts';
import type { Answers } from './ask-platform.ts';
import { type Gathered, type PrepareOptions, type Prepared, resolveAnswers } from './prepare.ts';

type Secrets = ReadonlyMap<string, Secret>;

export type Resolving = {
  readonly options: Pick<PrepareOptions, 'purpose' | 'log' | 'argv'>;
  readonly gathered: Gathered & { readonly answers: Answers };
  /** What the app has. */
  readonly previous: Secrets;
  /** One whose archives nobody has opened yet. */
  readonly isNewConfig: boolean;
};

export type Usable = {
  readonly prepared: Prepared;
  /** Of values that the app does not get. */
  readonly warnings: readonly Warning[];
};

/** @throws {StartError} what does not fit together, whatever is new of the secrets. */
export async function resolveUsable(resolving: Resolving): Promise<Usable> {
  const { gathered, previous } = resolving;
  const served = gathered.answers.secrets ?? new Map<string, Secret>();
  const changed = [...served].flatMap(([identifier, secret]) =>
    previous.get(identifier)?.equals(secret) === true ? [] : [identifier],
  );
  try {
    return { prepared: await resolveWith(resolving, changed, changed), warnings: [] };
  } catch (error) {
    if (!(error instanceof StartError) || changed.length === 0) {
      throw error;
    }

    return await resolveWithout(resolving, changed, error);
  }
}

/** At first none of the new values, then each one that goes with those before it. */
async function resolveWithout(
  resolving: Resolving,
  changed: readonly string[],
  error: StartError,
): Promise<Usable> {
  let prepared = await resolveWith(resolving, [], changed).catch((other: unknown) => {
    throw other instanceof StartError ? error : other; // It is not the secrets, or not they alone.
  });
  const taken: string[] = [];
  const warnings: Warning[] = [];
  for (const identifier of changed) {
    try {
      prepared = await resolveWith(resolving, [...taken, identifier], changed);
      taken.push(identifier);
    } catch (why) {
      if (!(why instanceof StartError)) {
        throw why;
      }

      warnings.push(notUsed(identifier, why));
    }
  }

  return { prepared, warnings };
}

/** @param taken - Of those that changed, the ones that get their new value. */
async function resolveWith(
  { options, gathered, previous, isNewConfig }: Resolving,
  taken: readonly string[],
  changed: readonly string[],
): Promise<Prepared> {
  const { answers } = gathered;
  const left = new Set(changed.filter((identifier) => !taken.includes(identifier)));
  const secrets =
    answers.secrets &&
    new Map(
      [...answers.secrets].flatMap(([identifier, secret]): [string, Secret][] => {
        const value = left.has(identifier) ? previous.get(identifier) : secret;
        return value === undefined ? [] : [[identifier, value]];
      }),
    );
  const prepared = await resolveAnswers(options, { ...gathered, answers: { ...answers, secrets } });
  // Where there is no old one, nothing is gained by refusal: it is a file that cannot be written.
  const replaced = new Set(taken.filter((identifier) => previous.has(identifier)));
  await checkArchives(
    prepared.secretFiles.filter(({ identifier }) => isNewConfig || replaced.has(identifier)),
  );
  return prepared;
}

/** @throws {StartError} E_ARCHIVE. */
async function checkArchives(files: Prepared['secretFiles']): Promise<void> {
  for (const { kind, identifier, path, allowEmpty, content } of files) {
    if (kind === 'unpack-secret' && content !== undefined) {
      const { unpackArchive } = await import('../apply/unpack-archive.ts');
      unpackArchive(content, { identifier, path, allowEmpty });
    }
  }
}

function notUsed(identifier: string, { message, remedy }: StartError): Warning {
  return {
    code: 'W_SECRET_UNUSABLE',
    message: `The new value of secret "${identifier}" is not used, the old one stays: ${message}`,
    ...remedy,
  };
}
