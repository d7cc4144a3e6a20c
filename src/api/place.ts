// Where the platform is and who asks, for callers who do not say: what init itself would take.
import { defaultSocketPath } from '../core/default-socket.ts';

export type Place = {
  /** @default `WARP_INIT_SOCKET` of the environment, else "/var/run/cycle/api/api.sock" */
  readonly socketPath?: string | undefined;
  /** @default `CYCLE_API_TOKEN` of the environment; without any, no token is sent */
  readonly token?: string | undefined;
};

export type KnownPlace = { readonly socketPath: string; readonly token: string | undefined };

export function placeOf({ socketPath, token }: Place): KnownPlace {
  const { WARP_INIT_SOCKET: ownSocket, CYCLE_API_TOKEN: ownToken } = process.env;
  return {
    socketPath: socketPath ?? (ownSocket || defaultSocketPath),
    token: (token ?? ownToken) || undefined,
  };
}
