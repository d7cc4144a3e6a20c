// Secrets as files: from `init.secrets.files` and the fetched values to what is written where.
//
// A file may hold what no variable can: a NUL, bytes that are no text (`decode: "base64"`), 32 MiB.
import { StartError, exitStatus } from '../errors.ts';
import { decodeBase64 } from './base64.ts';
import type { Ownership } from './ownership.ts';
import { type Secret, SecretBytes } from './secret.ts';
import type { SecretFile } from './settings-files.ts';

/** A step of the plan. */
export type SecretFileStep = {
  /** One file at `path`; or a directory there, from a tar or tar.gz. */
  readonly kind: 'write-secret' | 'unpack-secret';
  readonly path: string;
  readonly identifier: string;
  readonly owner: Ownership;
  /** Also: the archive may hold nothing. */
  readonly allowEmpty: boolean;
  /** Decoded. Undefined for `debug`, which fetches no secret. */
  readonly content: SecretBytes | undefined;
};

export type OwnedSecretFile = { readonly file: SecretFile; readonly owner: Ownership };

/**
 * @param fetched - By identifier; all that the files want must be in it. Undefined for `debug`.
 * @throws {StartError} E_SECRET_BASE64, E_SECRET_EMPTY: each names every file that it is about.
 */
export function planSecretFiles(
  files: readonly OwnedSecretFile[],
  fetched: ReadonlyMap<string, Secret> | undefined,
): readonly SecretFileStep[] {
  const decoded = files.map(({ file, owner }) => ({
    file,
    owner,
    content: fetched === undefined ? undefined : decode(file, fetched.get(file.secret)),
  }));
  refuse(
    decoded.flatMap(({ file, content }) => (content === 'not base64' ? file : [])),
    {
      code: 'E_SECRET_BASE64',
      rule: 'the value is not base64 (RFC 4648 section 4, with padding; white space is allowed)',
      fix: 'Store the value in base64, or leave out `decode`.',
    },
  );
  refuse(
    decoded.flatMap(({ file, content }) => (isEmpty(content) && !file.allowEmpty ? file : [])),
    {
      code: 'E_SECRET_EMPTY',
      rule: 'the value is empty when decoded',
      fix: 'Give the scoped variable a value, or set `allowEmpty` beside its `path`.',
    },
  );

  return decoded.map(({ file, owner, content }) => ({
    kind: file.unpack === 'tar' ? 'unpack-secret' : 'write-secret',
    path: file.path,
    identifier: file.secret,
    owner,
    allowEmpty: file.allowEmpty,
    content: content === 'not base64' ? undefined : content,
  }));
}

type Content = SecretBytes | 'not base64' | undefined;

function decode(
  { decode: encoding, secret: identifier }: SecretFile,
  secret: Secret | undefined,
): Content {
  if (secret === undefined) {
    throw new RangeError(`the secret ${identifier} was not granted`);
  }

  switch (encoding) {
    case undefined:
      return SecretBytes.ofText(secret.reveal());
    case 'base64': {
      const bytes = decodeBase64(secret.reveal());
      return bytes === undefined ? 'not base64' : new SecretBytes(bytes);
    }
  }
}

function isEmpty(content: Content): boolean {
  return typeof content === 'object' && content.isEmpty();
}

type Refusal = { readonly code: string; readonly rule: string; readonly fix: string };

function refuse(files: readonly SecretFile[], { code, rule, fix }: Refusal): void {
  if (files.length > 0) {
    const subjects = files.map(({ secret, path }) => `secret "${secret}" for file ${path}`);
    throw new StartError(code, `Cannot use ${subjects.join(', ')}: ${rule}`, {
      exitCode: exitStatus.config,
      remedy: { where: 'init.secrets.files', fix },
    });
  }
}
