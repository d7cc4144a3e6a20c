// What can be wrong with a config as code, as errors with file and line. All of them are E_CONFIG, exit status 78.
import { fileURLToPath } from 'node:url';
import { typeName } from '../core/config-problems.ts';
import { StartError, exitStatus } from '../errors.ts';

/** The config, or what it requires, cannot be parsed or has thrown. */
export function configFailure(path: string, error: unknown, programFile: string): StartError {
  const where = locationOf(error, programFile) ?? path;
  const from = where.startsWith(path) ? where : `${path}: ${where}`;

  return new StartError('E_CONFIG', `Cannot load the config ${from}: ${reasonOf(error)}`, {
    exitCode: exitStatus.config,
    remedy: { where, fix: isUnreadTypeScript(path) ? needsNewerNode : fixOf(error) },
    cause: error,
  });
}

const needsNewerNode = `Make a warp.config.js of it, or take Node 22.18 or newer, which reads TypeScript: this one is ${process.version}.`;

/** Node 20 takes a `.ts` for JavaScript, and types for wrong syntax. */
function isUnreadTypeScript(path: string): boolean {
  const isRead: unknown = Reflect.get(process.features, 'typescript');
  return /\.[cm]?ts$/.test(path) && (isRead === undefined || isRead === false);
}

function fixOf(error: unknown): string {
  if (/^Cannot find (?:module|package) 'warp-init'/.test(textOf(error, 'message'))) {
    return "Install warp-init as a dependency of the app, too; for types alone the comment `@type {import('warp-init').WarpConfig}` is enough.";
  }

  if (/^Cannot find (?:module|package) '[^./]/.test(textOf(error, 'message'))) {
    return 'Install it in the image, where the config finds it (node_modules in its directory or above), or do without it there.';
  }

  if (/^EACCES: permission denied, open '.*\.(?:[cm]?js|json)'$/.test(textOf(error, 'message'))) {
    return 'Make it readable to the user who starts warp-init: COPY --chmod=644, or --chown.';
  }

  return textOf(error, 'name') === 'SyntaxError'
    ? 'Correct the syntax there.'
    : 'Correct what throws there.';
}

export type Stuck = {
  readonly deadlineMs: number;
  /** `runs`: code that does not return. `waits`: a promise that does not settle. */
  readonly kind: 'runs' | 'waits';
  /** `file:line`, where known. */
  readonly location: string | undefined;
};

export function stuckError(path: string, { deadlineMs, kind, location }: Stuck): StartError {
  const at = location === undefined ? '' : ` (${location})`;
  const [state, fix] =
    kind === 'runs'
      ? [`it is still running${at}`, 'End the loop there, or what takes so long.']
      : [`its promise has not settled${at}`, 'Give what it awaits a deadline of its own.'];

  return new StartError(
    'E_CONFIG',
    `Cannot load the config ${path} within ${deadlineMs} ms: ${state}`,
    {
      exitCode: exitStatus.config,
      remedy: { where: location ?? path, fix },
    },
  );
}

export function exitError(path: string): StartError {
  return new StartError('E_CONFIG', `Cannot load the config ${path}: it calls process.exit()`, {
    exitCode: exitStatus.config,
    remedy: { where: path, fix: 'Remove that.' },
  });
}

/** @param type - `a number`, `nothing`. */
export function exportError(path: string, type: string): StartError {
  return new StartError(
    'E_CONFIG',
    `Cannot use the config ${path}: it gives ${type}, not an object`,
    {
      exitCode: exitStatus.config,
      remedy: {
        where: path,
        fix: 'Export an object or a function that returns one, by `module.exports =` or `export default`.',
      },
    },
  );
}

/** `file:line` of the code that failed; code of Node and of this program does not count. */
export function locationOf(error: unknown, programFile: string): string | undefined {
  for (const line of textOf(error, 'stack').split('\n')) {
    const [, file, number] = arrow.exec(line) ?? frame.exec(line) ?? [];
    const path = file?.startsWith('file:') ? fileURLToPath(file) : file;

    if (path !== undefined && path !== programFile) {
      return `${path}:${number}`;
    }
  }

  return undefined;
}

/** Above the stack of a syntax error, and of others that Node decorates: `/app/warp.config.js:3`. */
const arrow = /^((?:file:\/\/)?\/.*):(\d+)$/;

/** `at read (/app/warp.config.js:3:7)`, `at async file:///app/warp.config.mjs:3:7`. */
const frame = /^ +at (?:.*\()?(?:async )?((?:file:\/\/)?\/.*):(\d+):\d+\)?$/;

const shownCharacters = 500;

/** The first line: what follows names every module that was on the way. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return typeof error === 'string'
      ? error.slice(0, shownCharacters)
      : `it threw ${typeName(error)}`;
  }

  const [line = ''] = textOf(error, 'message').split('\n');
  return `${textOf(error, 'name')}: ${line}`.slice(0, shownCharacters);
}

/** Anything can be thrown, also an error whose message is an object, or whose stack is a getter that throws. */
function textOf(error: unknown, key: 'message' | 'name' | 'stack'): string {
  try {
    const text: unknown = error instanceof Error ? error[key] : '';
    return typeof text === 'string' ? text : '';
  } catch {
    return '';
  }
}
