// The requests to the platform leave before all else: the rest of the program loads while they travel.
//
// Only a config or a command line with a socket of its own makes them vain; commands/prepare.ts then asks again.
import { existsSync } from 'node:fs';
import { defaultSocketPath } from '../core/default-socket.ts';
import type { RequestLimits } from './http.ts';
import { nowMs } from './monotonic-clock.ts';
import { type InternalApi, startInternalApi } from './internal-api.ts';

export type EarlyRequests = {
  readonly socketPath: string;
  readonly api: InternalApi;
};

export type RequestOptions = {
  readonly socketPath: string;
  readonly inherited: ReadonlyMap<string, string>;
  readonly onWait: (reason: string) => void;
  /** Limits of one request. */
  readonly limits?: RequestLimits;
};

/** Undefined where nothing shows that there is a platform. */
export function requestEarly(
  inherited: ReadonlyMap<string, string>,
  onWait: (reason: string) => void,
): EarlyRequests | undefined {
  // As in the settings: an empty variable counts as none.
  const socketPath = inherited.get('WARP_INIT_SOCKET') || defaultSocketPath;
  return existsSync(socketPath) || inherited.get('CYCLE_API_TOKEN')
    ? request({ socketPath, inherited, onWait })
    : undefined;
}

export function request({ socketPath, inherited, onWait, limits }: RequestOptions): EarlyRequests {
  const api = startInternalApi({
    socketPath,
    token: inherited.get('CYCLE_API_TOKEN'),
    nowMs,
    random: Math.random,
    onWait,
    ...(limits && { limits }),
  });
  return { socketPath, api };
}
