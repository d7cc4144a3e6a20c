// The kernel's limits on argv and environment, checked before the spawn: execve(2) would only say E2BIG.
//
// fs/exec.c: one string has at most 32 pages with its NUL; all strings and the pointers to them have a quarter of the
// stack's soft limit, which is 8 MiB by default. Names that neighbours chose cannot stop us: they are left out first.
import { StartError, exitStatus } from '../errors.ts';
import type { Variable } from './environment.ts';
import type { Warning } from './warning.ts';

export type KernelLimits = {
  /** For one string of argv or environment, with its NUL. */
  readonly stringBytes: number;
  /** For all strings with their NULs, and 8 bytes for the pointer to each. */
  readonly totalBytes: number;
};

/** Those of a stack of 8 MiB and pages of 4 KiB, where the real one is not known. 4096 bytes are left for the program's path and the LISTEN_* of init. */
export const defaultLimits: KernelLimits = { stringBytes: 131_072, totalBytes: 2_097_152 - 4096 };

const smallestTotalBytes = 131_072;
const largestTotalBytes = 6 * 1024 * 1024;
const reservedBytes = 4096;

/** @param stackBytes - The soft limit on the stack; Infinity where there is none. */
export function limitsOfStack(stackBytes: number): KernelLimits {
  const quarter = Math.min(Math.max(stackBytes / 4, smallestTotalBytes), largestTotalBytes);
  return { ...defaultLimits, totalBytes: quarter - reservedBytes };
}

export type Launch = {
  readonly argv: readonly string[];
  readonly variables: readonly Variable[];
};

export type FittedEnvironment = {
  readonly variables: readonly Variable[];
  readonly warnings: readonly Warning[];
};

/**
 * The environment as the kernel takes it. Default IST names that do not fit are left out: shell names
 * first, then generic ones, each in the order given, and no more than necessary.
 *
 * @throws {StartError} E_ARGUMENTS_TOO_LARGE, E_ENVIRONMENT_TOO_LARGE or E_ENVIRONMENT_NUL: the rest does not fit.
 */
export function fitEnvironment(launch: Launch, limits = defaultLimits): FittedEnvironment {
  const { variables } = launch;
  const argv = launch.argv.map((text) => utf8Length(text) + 1);
  const needed = variables.filter((it) => defaultRule(it) === undefined).map(measure);
  refuseArgument(argv, limits);
  refuseNul(needed);
  refuseVariables(needed, limits);

  const sizes = variables.map(sizeOf);
  const allBytes = spaceOf(argv) + spaceOf(sizes);
  const { leftOut, totalBytes } =
    allBytes > limits.totalBytes || sizes.some((bytes) => bytes > limits.stringBytes)
      ? chooseLeftOut(variables, allBytes, limits)
      : { leftOut: new Set<Variable>(), totalBytes: allBytes };

  refuseTotal({ totalBytes, argvBytes: spaceOf(argv), needed }, limits);

  return leftOut.size === 0
    ? { variables, warnings: [] }
    : {
        variables: variables.filter((it) => !leftOut.has(it)),
        warnings: [warnLeftOut(leftOut.size, limits)],
      };
}

/**
 * Bytes of a text in UTF-8. A lone U+DC80 to U+DCFF is one undecodable byte (PEP 383); any other lone
 * surrogate becomes U+FFFD. Counted without encoding, because 10,000 services mean 20,000 variables.
 */
export function utf8Length(text: string): number {
  return plainAscii.test(text) ? text.length : countBytes(text);
}

/** Printable ASCII. The engine checks it about twice as fast as a loop that is not warm yet (8 ms for 16, 20,000 variables). */
const plainAscii = /^[ -~]*$/;

function countBytes(text: string): number {
  let bytes = text.length;

  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);

    if (unit < 0x80) {
      continue;
    }

    if (unit < 0x800) {
      bytes += 1;
    } else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(index + 1))) {
      bytes += 2;
      index++;
    } else if (unit < 0xdc80 || unit > 0xdcff) {
      bytes += 2;
    }
  }

  return bytes;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

type LeftOut = { readonly leftOut: ReadonlySet<Variable>; readonly totalBytes: number };

/** Those too long by themselves, then as many as the total demands. */
function chooseLeftOut(
  variables: readonly Variable[],
  allBytes: number,
  limits: KernelLimits,
): LeftOut {
  const leftOut = new Set(variables.filter((it) => sizeOf(it) > limits.stringBytes));
  let totalBytes = allBytes - spaceOf([...leftOut].map(sizeOf));

  for (const rule of ['shell', 'generic']) {
    for (const variable of variables) {
      if (totalBytes <= limits.totalBytes) {
        return { leftOut, totalBytes };
      }

      if (defaultRule(variable) === rule && !leftOut.has(variable)) {
        leftOut.add(variable);
        totalBytes -= sizeOf(variable) + pointerBytes;
      }
    }
  }

  return { leftOut, totalBytes };
}

const pointerBytes = 8;

type Sized = { readonly variable: Variable; readonly bytes: number };

function measure(variable: Variable): Sized {
  return { variable, bytes: sizeOf(variable) };
}

/** Bytes of `NAME=value` with its NUL. */
function sizeOf(variable: Variable): number {
  return utf8Length(variable.name) + utf8Length(textOf(variable)) + 2;
}

/** A secret is looked at for its length, and for a NUL. */
function textOf({ value }: Variable): string {
  return typeof value === 'string' ? value : value.reveal();
}

function spaceOf(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size + pointerBytes, 0);
}

function defaultRule({ origin, istRule }: Variable): 'shell' | 'generic' | undefined {
  return origin === 'ist' && (istRule === 'shell' || istRule === 'generic') ? istRule : undefined;
}

function refuseArgument(argv: readonly number[], { stringBytes }: KernelLimits): void {
  const index = argv.findIndex((bytes) => bytes > stringBytes);

  if (index !== -1) {
    throw new StartError(
      'E_ARGUMENTS_TOO_LARGE',
      `Cannot pass argument ${index} of the command: it has ${argv[index]} bytes with its NUL, and the kernel takes at most ${stringBytes} bytes in one`,
      {
        exitCode: exitStatus.config,
        remedy: {
          where: `argument ${index}`,
          fix: 'Pass the text in a file, and its path as the argument.',
        },
      },
    );
  }
}

function refuseNul(needed: readonly Sized[]): void {
  // Default IST names have none: core/ist-names.ts makes no such name.
  const first = needed.find(({ variable }) => `${variable.name}${textOf(variable)}`.includes('\0'));

  if (first !== undefined) {
    const name = describeName(first.variable);
    throw new StartError(
      'E_ENVIRONMENT_NUL',
      `Cannot pass ${first.variable.isBulk === true ? '' : 'the variable '}${name}: it holds a NUL, which ends a variable`,
      {
        exitCode: exitStatus.config,
        remedy: { where: name, fix: 'Store the value as text, for example in base64.' },
      },
    );
  }
}

function refuseVariables(needed: readonly Sized[], { stringBytes }: KernelLimits): void {
  const tooLong = needed.filter(({ bytes }) => bytes > stringBytes);

  if (tooLong.length > 0) {
    throw tooLarge(
      `Cannot pass ${describeLargest(tooLong)}: the kernel takes at most ${stringBytes} bytes in one NAME=value with its NUL`,
      tooLong,
    );
  }
}

type Total = {
  readonly totalBytes: number;
  readonly argvBytes: number;
  readonly needed: readonly Sized[];
};

function refuseTotal(total: Total, limits: KernelLimits): void {
  const { totalBytes, argvBytes, needed } = total;

  if (totalBytes > limits.totalBytes) {
    throw tooLarge(
      `Cannot pass ${totalBytes} bytes of arguments and environment: the kernel takes at most ${limits.totalBytes} bytes together. ` +
        `The arguments have ${argvBytes} bytes; the largest of ${needed.length} variables: ${describeLargest(needed)}`,
      needed,
    );
  }
}

function tooLarge(message: string, variables: readonly Sized[]): StartError {
  const [largest] = bySize(variables);
  const where = largest === undefined ? 'arguments' : describeName(largest.variable);
  return new StartError('E_ENVIRONMENT_TOO_LARGE', message, {
    exitCode: exitStatus.config,
    remedy: { where, fix: 'Pass large values in files, and their paths as variables.' },
  });
}

function describeLargest(variables: readonly Sized[]): string {
  return bySize(variables)
    .slice(0, 5)
    .map(({ variable, bytes }) => `${describeName(variable)} (${bytes} bytes)`)
    .join(', ');
}

function bySize(variables: readonly Sized[]): readonly Sized[] {
  return variables.toSorted((a, b) => b.bytes - a.bytes);
}

/** A name can be as long as a value, and in a secret that is a dotenv document it is a part of it. */
function describeName({ name, isBulk, from }: Variable): string {
  if (isBulk === true && from !== name) {
    return `a line of secret "${from}"`;
  }

  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}

function warnLeftOut(count: number, { stringBytes, totalBytes }: KernelLimits): Warning {
  return {
    code: 'W_IST_VARIABLES_LEFT_OUT',
    message: `${count} default IST ${count === 1 ? 'variable was' : 'variables were'} left out: the kernel takes at most ${stringBytes} bytes in one variable and ${totalBytes} bytes in all`,
    where: 'init.ist.variables',
    fix: 'Set init.ist.variables to "explicit", and name the services that the app uses in `ist`.',
  };
}
