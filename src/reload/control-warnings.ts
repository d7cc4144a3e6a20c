// What goes wrong with the control socket, for the log. The app is not touched by any of it.
import type { Warning } from '../core/warning.ts';
import { StartError, errnoOf } from '../errors.ts';

export function cannotListen(path: string, error: unknown): Warning {
  const { message, fix } =
    error instanceof StartError
      ? { message: error.message, fix: error.remedy.fix }
      : { message: `Cannot listen on ${path}: ${errnoOf(error) ?? placeOf(error)}`, fix: makeRoom };
  return problem(
    path,
    `${message}. The commands status, reload and health do not find this init; all else works`,
    fix,
  );
}

const makeRoom =
  'Make the state directory writable for init, or name another in init.stateDirectory.';

export function cannotAccept(path: string, error: unknown): Warning {
  return problem(
    path,
    `Cannot accept connections on ${path}: ${errnoOf(error) ?? placeOf(error)}. It is tried again`,
    'Look at the limits of the container, first of all that of its memory.',
  );
}

export function defect(path: string, error: unknown): Warning {
  return problem(
    path,
    `Cannot answer a request: warp-init itself failed with ${placeOf(error)}`,
    'Report this line to those who maintain warp-init.',
  );
}

function problem(path: string, message: string, fix: string): Warning {
  return { code: 'W_CONTROL_SOCKET', message, where: path, fix };
}

/** Kind and place of a defect; its message could quote what it met. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return typeof error;
  }

  const place = /^\s+at .*$/m.exec(error.stack ?? '')?.[0].trim() ?? 'an unknown place';
  return `${error.name} ${place}`;
}
