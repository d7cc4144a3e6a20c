// Dotenv files, read as dotenv's own parser reads them. Nothing here touches process.env.
//
// `dotenv` is loaded only where there is something to parse. Its `config()` writes process.env and prints: never call it.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import type { DotenvLayer } from '../core/environment.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';

export type ParseDotenv = (text: string) => ReadonlyMap<string, string>;

/**
 * @param paths - In order; the environment lets earlier ones win.
 * @throws {StartError} E_ENV_FILE: a file is missing, unreadable, no text, or holds a NUL.
 */
export async function readDotenvFiles(paths: readonly string[]): Promise<readonly DotenvLayer[]> {
  if (paths.length === 0) {
    return [];
  }

  const texts = paths.map((path) => ({ path, text: readText(path) }));
  const parseDotenv = await loadDotenvParser();
  return texts.map(({ path, text }) => ({ path, values: parseDotenv(text) }));
}

/** For secrets whose value is a dotenv document, too. */
export async function loadDotenvParser(): Promise<ParseDotenv> {
  const { default: dotenv } = await import('dotenv');
  return (text) => new Map(Object.entries(dotenv.parse(text)));
}

function readText(path: string): string {
  const bytes = readBytes(path);

  if (!isUtf8(bytes)) {
    throw envFileError(path, { rule: 'it is not UTF-8', fix: 'Save the file as UTF-8.' });
  }

  if (bytes.includes(0)) {
    const rule = 'it holds a NUL, which no variable can hold';
    throw envFileError(path, { rule, fix: 'Save the file as plain text without NUL.' });
  }

  return bytes.toString('utf8');
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw envFileError(path, reasonFor(errnoOf(error)), error);
  }
}

type Reason = { readonly rule: string; readonly fix: string };

function reasonFor(errno: string | undefined): Reason {
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      return {
        rule: 'there is no such file',
        fix: 'Correct the path, or take it out of init.dotenv and --env-file.',
      };
    case 'EACCES':
    case 'EPERM':
      return { rule: 'permission denied', fix: 'Make the file readable for the user of init.' };
    case 'EISDIR':
      return { rule: 'it is a directory', fix: 'Name a file in it.' };
    case undefined:
    default:
      return { rule: errno ?? 'unknown error', fix: 'Repair the file, or name another one.' };
  }
}

function envFileError(path: string, { rule, fix }: Reason, cause?: unknown): StartError {
  return new StartError('E_ENV_FILE', `Cannot read the dotenv file ${path}: ${rule}`, {
    exitCode: exitStatus.config,
    remedy: { where: path, fix },
    cause,
  });
}
