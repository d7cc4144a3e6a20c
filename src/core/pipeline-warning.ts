// What the operator reads when the notifications of the platform do not come.
import type { Loss } from './pipeline-state.ts';
import type { Warning } from './warning.ts';

export function lossWarning({ reason, detail }: Loss, socketPath: string): Warning {
  const where = `GET /v1/notifications on ${socketPath}`;
  switch (reason) {
    case 'unauthorized':
      return {
        code: 'W_PIPELINE_REFUSED',
        message: `The platform refuses its notifications: ${detail}. The app keeps what it has; the attempts go on, about two a minute.`,
        where,
        fix: 'Check CYCLE_API_TOKEN: it is not, or no longer, the one of this instance; a restart of the instance gives it a new one.',
      };
    case 'denied':
      return lost(
        detail,
        where,
        'Run warp-init as root (--user changes the app alone), or open the socket to this user.',
      );
    case 'unexpected-answer':
    case 'malformed':
      return lost(
        detail,
        where,
        'Check what listens on this socket: the internal API gives a WebSocket at this path.',
      );
    case 'no-socket':
    case 'refused':
    case 'silent':
    case 'ended':
    case 'io':
      return lost(
        detail,
        where,
        'Wait for the platform; `warp-init status` shows whether the connection is back.',
      );
  }
}

function lost(detail: string, where: string, fix: string): Warning {
  return {
    code: 'W_PIPELINE_LOST',
    message: `The platform's notifications are lost: ${detail}. The app keeps what it has until they are back.`,
    where,
    fix,
  };
}
