// Why a request to the platform gave nothing usable, in words: an error to stop with, or a warning.
//
// What the platform sent appears only where it is its own error text, cut and without the token.
import { StartError, exitStatus } from '../errors.ts';
import type { Remedy } from '../errors.ts';
import type { Warning } from '../core/warning.ts';
import type { HttpFailureReason } from './http-result.ts';

export type Failure =
  | { readonly kind: 'transport'; readonly reason: HttpFailureReason; readonly detail: string }
  | {
      readonly kind: 'status';
      readonly status: number;
      /** The platform's own words, if it sent any: code, title and detail. */
      readonly code: string | undefined;
      readonly words: string;
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: 'not-json'; readonly sizeBytes: number }
  | { readonly kind: 'shape'; readonly problem: string }
  /** A list of the environment's containers without our own. */
  | { readonly kind: 'stranger'; readonly containerId: string; readonly count: number };

/** Of a request whose answer has not come. */
export const noAnswer: Failure = {
  kind: 'transport',
  reason: 'silent',
  detail: 'there was no complete answer',
};

/** One request that was given up. */
export type GivenUp = {
  readonly path: string;
  readonly failure: Failure;
  readonly attempts: number;
  readonly socketPath: string;
  readonly waitedMs: number;
};

/** Whether another attempt may succeed without anyone changing anything. */
export function isTransient(failure: Failure): boolean {
  switch (failure.kind) {
    case 'transport':
      return failure.reason !== 'too-large' && failure.reason !== 'aborted';
    case 'status':
      return failure.status === 429 || failure.status >= 500;
    case 'not-json':
    case 'stranger':
      return true;
    case 'shape':
      return false;
  }
}

export function platformError(givenUp: GivenUp): StartError {
  const { path, failure, socketPath } = givenUp;
  const isRefused = failure.kind === 'status' && failure.status >= 400 && !isTransient(failure);
  const code = isRefused ? 'E_PLATFORM_REFUSED' : 'E_PLATFORM_UNAVAILABLE';
  return new StartError(code, `Cannot get ${path} from the platform${describeEffort(givenUp)}`, {
    exitCode: isRefused ? exitStatus.refused : exitStatus.unavailable,
    remedy: { where: `GET ${path} on ${socketPath}`, fix: fixOf(failure) },
  });
}

/** The code of what {@link leftOutWarning} says. */
export const partialAnswer = 'W_PLATFORM_PARTIAL';

/** @param consequence - What is left out, as the end of a sentence. */
export function leftOutWarning(givenUp: GivenUp, consequence: string): Warning {
  const { path, failure, socketPath } = givenUp;
  return {
    code: partialAnswer,
    message: `The platform did not give ${path}${describeEffort(givenUp)}; ${consequence}.`,
    where: `GET ${path} on ${socketPath}`,
    fix: fixOf(failure),
  };
}

/** Half a sentence, for people. */
export function describeFailure(failure: Failure, socketPath: string): string {
  switch (failure.kind) {
    case 'transport':
      return describeTransport(failure.reason, failure.detail, socketPath);
    case 'status':
      return `the answer was ${failure.status}${failure.words}`;
    case 'not-json':
      return `the answer, ${failure.sizeBytes} bytes, is not JSON`;
    case 'shape':
      return `the answer has the wrong shape, ${failure.problem}`;
    case 'stranger':
      return `our own container, ${failure.containerId}, is not among the ${failure.count} of the answer`;
  }
}

function describeEffort({ failure, attempts, socketPath, waitedMs }: GivenUp): string {
  const text = describeFailure(failure, socketPath);
  const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  return isTransient(failure) ? ` within ${waitedMs} ms (${times}): ${text}` : `: ${text}`;
}

function describeTransport(reason: HttpFailureReason, detail: string, socketPath: string): string {
  switch (reason) {
    case 'no-socket':
      return `there is no socket file at ${socketPath}`;
    case 'refused':
      return `nobody listens on the socket ${socketPath}`;
    case 'not-a-socket':
      return `${socketPath} is ${detail}, not a socket`;
    case 'denied':
      return `the socket ${socketPath} may not be opened by this user`;
    case 'silent':
    case 'io':
    case 'aborted':
      return detail;
    case 'truncated':
    case 'malformed':
    case 'too-large':
      return `the answer cannot be used, ${detail}`;
  }
}

function fixOf(failure: Failure): Remedy['fix'] {
  switch (failure.kind) {
    case 'transport':
      return transportFixes[failure.reason];
    case 'status':
      return statusFix(failure.status, failure.code);
    case 'not-json':
      return 'Check what listens on this socket: the internal API answers in JSON.';
    case 'shape':
      return 'Check that the socket is that of the internal API, and update warp-init if the platform is newer.';
    case 'stranger':
      return 'Check that the container still exists in its environment, then start it again.';
  }
}

const transportFixes = {
  'no-socket':
    'Mount the socket of the internal API into the container, or set WARP_INIT_SOCKET to its path.',
  refused: 'Start what serves this socket, or mount the current socket instead of an old one.',
  'not-a-socket':
    'Mount the directory that the socket is in: where a file to mount does not exist on the host, Docker makes a directory of that name.',
  denied: 'Run warp-init as root (--user changes the app alone), or open the socket to this user.',
  silent: 'Look at what serves this socket: it accepts requests and does not answer them in time.',
  truncated: 'Look at what serves this socket: it closes connections before it has answered.',
  malformed:
    'Check what listens on this socket: it does not speak HTTP/1.1 as the internal API does.',
  'too-large': 'Check what listens on this socket, or divide the environment into smaller ones.',
  io: 'Look at what serves this socket: it closes connections before it has answered.',
  aborted: 'Raise init.platform.deadline.',
} as const satisfies Record<HttpFailureReason, string>;

function statusFix(status: number, code: string | undefined): string {
  const byCode = code === undefined ? undefined : codeFixes.get(code);
  if (byCode !== undefined) {
    return byCode;
  }

  if (status === 429) {
    return 'Start fewer containers at once, or raise init.platform.deadline.';
  }

  if (status >= 500) {
    return 'Look at the status of the platform, or raise init.platform.deadline.';
  }

  const byStatus = codeFixes.get(String(status));
  return byStatus ?? 'Update warp-init: the platform does not know this request.';
}

const codeFixes: ReadonlyMap<string, string> = new Map([
  ['401', 'Check CYCLE_API_TOKEN: the platform sets it for each instance; do not set it yourself.'],
  ['401.auth-invalid', 'Check CYCLE_API_TOKEN: it is missing, or not the one of this instance.'],
  ['401.auth-expired', 'Start the instance again: its CYCLE_API_TOKEN has expired.'],
  ['403', 'Allow this instance the request on the platform.'],
  [
    '403.expired',
    'Start the instance again, or raise the duration for which the platform serves it.',
  ],
  ['403.permissions', 'Give this container access to it on the platform.'],
  [
    '404.uri',
    'Update the platform, or mount the socket of the internal API: it does not know the path.',
  ],
  ['404.container', 'Check that the container still exists on the platform.'],
  ['404.environment', 'Check that the environment still exists on the platform.'],
]);
