// Which secrets the API still gives. Pure: the time is a parameter.
//
// A scoped variable can have a duration after which the internal API no longer gives it; it is then missing
// from the answer, as if it did not exist.
import type { PlatformSecret } from './platform.ts';

export type SecretStore = readonly StoredSecret[];

type StoredSecret = {
  readonly secret: PlatformSecret;
  /** Since when it exists: durations count from here. */
  readonly sinceMs: number;
  readonly wasServed: boolean;
};

/** A secret that `earlier` already has with the same value keeps its age, and stays served. */
export function createSecretStore(
  secrets: readonly PlatformSecret[],
  nowMs: number,
  earlier: SecretStore = [],
): SecretStore {
  const known = new Map(earlier.map((one) => [one.secret.identifier, one]));
  return secrets.map((secret) => {
    const before = known.get(secret.identifier);
    return before?.secret.value === secret.value
      ? { ...before, secret }
      : { secret, sinceMs: nowMs, wasServed: false };
  });
}

/** The body of `GET /v1/environment/scoped-variables`, and what is left afterwards. */
export function serveSecrets(
  store: SecretStore,
  nowMs: number,
): { readonly body: Buffer; readonly store: SecretStore } {
  const given = store.filter((one) => isGiven(one, nowMs));
  // Joined by hand: an object would take the identifier `__proto__` for something else.
  const members = given.map(
    ({ secret }) => `${JSON.stringify(secret.identifier)}:${JSON.stringify(secret.value)}`,
  );
  return {
    body: Buffer.from(`{"data":{${members.join(',')}}}`),
    store: store.map((one) => (isGiven(one, nowMs) ? { ...one, wasServed: true } : one)),
  };
}

function isGiven({ secret, sinceMs, wasServed }: StoredSecret, nowMs: number): boolean {
  if (secret.isServedOnce && wasServed) return false;
  return secret.durationMs === undefined || nowMs - sinceMs < secret.durationMs;
}
