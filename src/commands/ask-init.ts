// Finds the init that runs in this container, and what it says of itself: for the commands that ask one.
//
// The directories are those in which a start would put its control socket. Where none answers, the brain may have ended
// on purpose (nothing to follow): then it has left `init.json`, and /proc knows whether that still holds.
import { type MarkedProcess, type InitMarker, isStillRunning } from '../core/init-marker.ts';
import { parseFilePath } from '../core/config-words.ts';
import { usageError, variableOf } from '../core/run-options.ts';
import { stateCandidates } from '../core/state-directory.ts';
import { type Status, formatDocument, statusWithoutBrain } from '../core/status.ts';
import { StartError, exitStatus } from '../errors.ts';
import { type ControlResult, askControlSocket } from '../inputs/control-client.ts';
import { parseStatus } from '../inputs/control-documents.ts';
import type { HttpFailure } from '../inputs/http-result.ts';
import { readMarker, readProcessStat } from '../inputs/init-marker.ts';
import { nowMs } from '../inputs/monotonic-clock.ts';
import { stateDirectoriesOf } from '../inputs/state-directory.ts';
import type { AskedInit } from '../invocation.ts';
import { ownIds } from './state-steps.ts';

export type FoundInit = {
  readonly status: Status;
  /** As JSON. */
  readonly text: string;
  /** Undefined: there is no brain, because there is nothing to follow. */
  readonly socketPath: string | undefined;
};

/** Of a look at the running init; a start takes as long at most. */
const deadlineMs = 3000;

/**
 * @throws {StartError} E_NO_INIT, 69: none answers within 3 s. E_USAGE, 64: the directory is no absolute path.
 */
export async function findInit({ stateDirectory }: AskedInit): Promise<FoundInit> {
  const { uid } = ownIds();
  const configured = configuredDirectory(stateDirectory);
  const directories = stateDirectoriesOf(configured, uid);
  const untilMs = nowMs() + deadlineMs;
  const failures = new Map<string, HttpFailure>();
  for (const directory of directories) {
    const socketPath = `${directory}/control.sock`;
    const result = await askControlSocket({
      socketPath,
      method: 'GET',
      path: '/status',
      deadlineMs: Math.max(1, Math.ceil(untilMs - nowMs())),
    });
    if (result.kind === 'answer') {
      return { ...readStatus(result, socketPath), socketPath };
    }

    failures.set(socketPath, result);
    const status = statusOfMarker(readMarker(directory));
    if (status !== undefined) {
      return { status, text: formatDocument(status), socketPath: undefined };
    }
  }

  const distrusted = stateCandidates(configured, uid)
    .map(({ path }) => path)
    .filter((path) => !directories.includes(path));
  throw noInit(failures, distrusted, uid);
}

/** What was answered is not what was asked for. */
export function unusableAnswer(
  socketPath: string,
  problem: string,
  fix = 'Look into the log of the container; use the warp-init that runs in it for the command, too.',
): StartError {
  return new StartError('E_CONTROL', `Cannot use the answer of ${socketPath}: ${problem}`, {
    exitCode: exitStatus.unavailable,
    remedy: { where: socketPath, fix },
  });
}

function configuredDirectory(option: string | undefined): string | undefined {
  const variable = variableOf('state-directory');
  const [label, text] =
    option === undefined ? [variable, process.env[variable]] : ['--state-directory', option];
  if (text === undefined || (text === '' && label === variable)) {
    return undefined;
  }

  const parsed = parseFilePath(text);
  if (!parsed.ok) {
    throw usageError({ label, received: JSON.stringify(text), expected: parsed.expected });
  }

  return parsed.value;
}

type Answer = Extract<ControlResult, { readonly kind: 'answer' }>;

function readStatus({ status: code, text }: Answer, socketPath: string) {
  const status = code === 200 ? parseStatus(text) : undefined;
  if (status === undefined) {
    const problem =
      code === 200 ? 'it is no status that this version knows' : `its status is ${code}`;
    throw unusableAnswer(socketPath, problem);
  }

  return { status, text };
}

function statusOfMarker(marker: InitMarker | undefined): Status | undefined {
  if (marker === undefined || !isRunning(marker.init)) {
    return undefined;
  }

  const { initVersion, isPid1, init, app } = marker;
  return statusWithoutBrain({
    version: initVersion,
    isPid1,
    uptimeMs: uptimeMs(init),
    app: isRunning(app)
      ? { pid: app.pid, uptimeMs: uptimeMs(app) }
      : { pid: undefined, uptimeMs: undefined },
  });
}

function isRunning(marked: MarkedProcess): boolean {
  return isStillRunning(marked, readProcessStat(marked.pid));
}

function uptimeMs({ startedAtMs }: MarkedProcess): number {
  return Math.max(0, Math.round(nowMs() - startedAtMs));
}

function noInit(
  failures: ReadonlyMap<string, HttpFailure>,
  distrusted: readonly string[],
  uid: number,
): StartError {
  const reasons = [
    ...[...failures].map(([path, failure]) => `${path} (${describe(failure)})`),
    ...distrusted.map((path) => `${path} (no directory, or not one of uid ${uid})`),
  ];
  return new StartError('E_NO_INIT', `Cannot find an init that answers: ${reasons.join(', ')}`, {
    exitCode: exitStatus.unavailable,
    remedy: { where: 'state directory', fix: fixFor([...failures.values()]) },
  });
}

function describe({ reason, detail }: HttpFailure): string {
  switch (reason) {
    case 'no-socket':
      return 'there is none';
    case 'refused':
      return 'nobody listens';
    case 'denied':
      return 'permission denied';
    case 'not-a-socket':
      return `${detail}, not a socket`;
    case 'silent':
    case 'truncated':
    case 'malformed':
    case 'too-large':
    case 'io':
    case 'aborted':
      return detail;
  }
}

function fixFor(failures: readonly HttpFailure[]): string {
  const reasons = new Set(failures.map(({ reason }) => reason));
  if (reasons.has('denied')) {
    return 'Ask as the user of init, or as root (docker exec --user 0).';
  }

  return failures.every(({ reason }) => reason === 'no-socket')
    ? 'Run it in the container, as the user of init; if init.stateDirectory is set, name it in --state-directory or WARP_INIT_STATE_DIRECTORY.'
    : 'If the container runs, its brain may be starting again: try once more in a few seconds, and look into its log.';
}
