// `warp-init/client` as a module: the internal API, asked and checked as init does.
//
// Each call has connections of its own and ends with them: there is nothing to close. Documented in docs/api.md.
import type {
  CertificateSummary,
  Container,
  Instance,
  NamedThing,
  Server,
  Snapshot,
} from '../core/snapshot.ts';
import type { Warning } from '../core/warning.ts';
import { needCertificates } from '../inputs/ask-certificates.ts';
import { endpoints } from '../inputs/endpoints.ts';
import { type Endpoint, type Session, need } from '../inputs/platform-request.ts';
import { type Limits, callPlatform, callSnapshot } from './call.ts';
import { type Place, placeOf } from './place.ts';

export type { NotifiedKind } from '../core/notification.ts';
export type { NotificationEvent } from '../core/pending-events.ts';
export type { LossReason } from '../core/pipeline-state.ts';
export type {
  CertificateSummary,
  Container,
  Instance,
  NamedThing,
  Server,
  Snapshot,
} from '../core/snapshot.ts';
export type { Warning } from '../core/warning.ts';
export type { Remedy, StartError } from '../errors.ts';
export { type NotificationOptions, notifications } from './notifications.ts';

export type ClientOptions = Place & {
  /** For one call with all its attempts, in milliseconds. @default 30000 */
  readonly deadlineMs?: number | undefined;
};

export type CallOptions = {
  /** In milliseconds. @default that of the client */
  readonly deadlineMs?: number | undefined;
  /** Gives the call up: it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Each call is one request, repeated (full jitter, at most 2 s apart) until it succeeds, repeating it cannot help, or its
 * deadline is over.
 *
 * They reject with a {@link StartError}; its `code` is `E_PLATFORM_UNAVAILABLE`, `E_PLATFORM_REFUSED` (another attempt
 * would not help) or `E_TOKEN` (the token cannot be sent). A `deadlineMs` that is none is a RangeError.
 */
export type Client = {
  /** The container that we run in. */
  readonly container: Call<Container>;
  /** Those of the environment, the own one among them. A container is a service; its name is the service name. */
  readonly containers: Call<readonly Container[]>;
  /** Those of the environment. An address that is none is left out; `snapshot` has a warning then. */
  readonly instances: Call<readonly Instance[]>;
  readonly environment: Call<NamedThing>;
  readonly hub: Call<NamedThing>;
  readonly server: Call<Server>;
  /** By identifier. */
  readonly secrets: Call<ReadonlyMap<string, SecretText>>;
  /** Those of this container, with their private keys. */
  readonly certificates: Call<readonly CertificateWithKey[]>;
  /** Everything but secrets and certificates, of one moment; `hub`, `environment` and `server` may be missing, with a warning. */
  readonly snapshot: Call<SnapshotAnswer>;
};

export type Call<T> = (options?: CallOptions) => Promise<T>;

/** As text, in JSON and in a log it is `[secret]`. */
export type SecretText = { reveal(): string };

export type CertificateWithKey = CertificateSummary & {
  /** PEM. */
  readonly privateKey: SecretText;
  /** The certificate and those that it was signed with, PEM. */
  readonly bundle: string;
};

export type SnapshotAnswer = Snapshot & { readonly warnings: readonly Warning[] };

/** Opens nothing: each call connects. */
export function createClient(options: ClientOptions = {}): Client {
  const ask =
    <T>(run: (session: Session) => Promise<T>): Call<T> =>
    async (limits) =>
      callPlatform(placeOf(options), limitsOf(options, limits), run);
  const get = <T>(endpoint: Endpoint<T>): Call<T> => ask((session) => need(session, endpoint));

  return {
    container: get(endpoints.container),
    containers: get(endpoints.containers),
    instances: ask(async (session) => (await need(session, endpoints.instances)).instances),
    environment: get(endpoints.environment),
    hub: get(endpoints.hub),
    server: get(endpoints.server),
    secrets: get(endpoints.secrets),
    certificates: ask(needCertificates),
    snapshot: async (limits) => callSnapshot(placeOf(options), limitsOf(options, limits)),
  };
}

const defaultDeadlineMs = 30_000;

/** What a timer of Node can wait, some 24 days. With more it would fire at once. */
const longestMs = 2 ** 31 - 1;

function limitsOf(client: ClientOptions, { deadlineMs, signal }: CallOptions = {}): Limits {
  const chosenMs = deadlineMs ?? client.deadlineMs ?? defaultDeadlineMs;
  if (!(chosenMs >= 0 && chosenMs <= longestMs)) {
    throw new RangeError(
      `Cannot wait for ${chosenMs} ms: deadlineMs is a number from 0 to ${longestMs}`,
    );
  }

  return { deadlineMs: chosenMs, signal };
}
