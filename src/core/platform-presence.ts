// Whether there is a platform to ask, decided before the first request.
import type { Warning } from './warning.ts';

/** `standalone`: the config alone is used. */
export type PlatformPresence = 'platform' | 'standalone';

export type PlatformSigns = {
  readonly socketExists: boolean;
  /** `CYCLE_API_TOKEN`; an empty one counts as none. */
  readonly token: string | undefined;
  /** `init.platform.required`; undefined where the operator left it to the signs. */
  readonly required: boolean | undefined;
};

/** A socket or a token means that someone intended a platform; `required` settles it either way. */
export function platformPresence(signs: PlatformSigns): PlatformPresence {
  if (signs.required === true || signs.socketExists) {
    return 'platform';
  }

  return signs.required === undefined && Boolean(signs.token) ? 'platform' : 'standalone';
}

/** The one warning of a standalone start. */
export function standaloneWarning(socketPath: string): Warning {
  return {
    code: 'W_STANDALONE',
    message: `There is no platform here (no socket at ${socketPath}): services, secrets and identity variables are left out, the config alone is used.`,
    where: socketPath,
    fix: 'Mount the socket of the internal API and set CYCLE_API_TOKEN, or set init.platform.required to true to make this an error.',
  };
}
