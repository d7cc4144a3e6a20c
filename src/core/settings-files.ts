// Files that init writes for the app: who owns them, and where they are.
import type { CheckedInit } from './config-schema.ts';
import { normalPath, parseMode } from './config-words.ts';

export type FileOwner = {
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  /** Name or id; undefined is the app's. */
  readonly user: string | undefined;
  readonly group: string | undefined;
};

export type SecretFile = FileOwner & {
  /** Identifier. */
  readonly secret: string;
  /** Absolute. With `unpack` a directory. */
  readonly path: string;
  readonly decode: 'base64' | undefined;
  readonly unpack: 'tar' | undefined;
  readonly allowEmpty: boolean;
};

export type CertificateFiles = FileOwner & {
  /** Absolute. */
  readonly directory: string;
};

const defaultMode = 0o400;

type CheckedFiles = NonNullable<NonNullable<CheckedInit['secrets']>['files']>;
type CheckedFile = Exclude<CheckedFiles, readonly unknown[]>;

export function resolveSecretFiles(files: CheckedFiles = []): readonly SecretFile[] {
  const list: readonly CheckedFile[] = Array.isArray(files) ? files : [files];
  return list.map((file) => ({
    secret: file.secret,
    path: normalPath(file.path),
    decode: file.decode,
    unpack: file.unpack,
    allowEmpty: file.allowEmpty ?? false,
    ...resolveOwner(file),
  }));
}

export function resolveCertificates(
  certificates: CheckedInit['certificates'],
): CertificateFiles | undefined {
  return certificates === undefined
    ? undefined
    : { directory: normalPath(certificates.directory), ...resolveOwner(certificates) };
}

/** `true`: in the state directory. */
export function resolveEnvFile(envFile: CheckedInit['envFile']): true | string | undefined {
  return typeof envFile === 'string' ? normalPath(envFile) : envFile === true ? true : undefined;
}

function resolveOwner({
  mode = defaultMode,
  user,
  group,
}: Pick<CheckedFile, 'mode' | 'user' | 'group'>): FileOwner {
  const bits = parseMode(mode);
  return {
    mode: bits.ok ? bits.value : defaultMode,
    user: user === undefined ? undefined : String(user),
    group: group === undefined ? undefined : String(group),
  };
}
