// The platform's internal API: the requests leave at once, before the config is read.
//
// What we cannot start without is asked for until the deadline; identity may be left out. A refusal ends the
// wait. Secrets are asked for only once the config says that they are wanted. Source: DESIGN section 3.
import type { Secret } from '../core/secret.ts';
import type {
  Certificate,
  CertificateSummary,
  NamedThing,
  Server,
  Snapshot,
} from '../core/snapshot.ts';
import type { Warning } from '../core/warning.ts';
import { StartError, exitStatus } from '../errors.ts';
import { askCertificates, certificatePaths, needCertificates } from './ask-certificates.ts';
import { type Services, fetchServices, servicePaths } from './ask-services.ts';
import { endpoints } from './endpoints.ts';
import { describeFailure, leftOutWarning, noAnswer, platformError } from './platform-failure.ts';
import type { GivenUp } from './platform-failure.ts';
import { ask, endSession, givenUp, need, pause, startSession } from './platform-request.ts';
import type { Outcome, Session, SessionOptions } from './platform-request.ts';
import * as read from './snapshot.ts';

export type InternalApiOptions = SessionOptions & {
  /** Called at most once, with half a sentence that says what is waited for. */
  readonly onWait: (reason: string) => void;
  /** When to call it. @default 2 s */
  readonly noticeMs?: number;
};

export type InternalApi = {
  /**
   * Everything, or an error; ends the session either way.
   *
   * @throws {StartError} 69 where the platform does not give what is needed, 77 where it refuses it.
   */
  readonly collect: (options: CollectOptions) => Promise<Collected>;
  /** Gives everything up. For a start that ends before it collects. */
  readonly close: () => void;
};

export type CollectOptions = {
  /** For all answers together, from the start of the first request. */
  readonly deadlineMs: number;
  readonly wantSecrets: boolean;
  /** As soon as they are there: they may be served once, and another answer may still fail. */
  readonly onSecrets?: (secrets: ReadonlyMap<string, Secret>) => void;
  /** `domains` to show them; `files` for `init.certificates`, which the start then needs. */
  readonly wantCertificates: 'none' | 'domains' | 'files';
  /** `init.platform.required`; only `false` makes an unavailable platform a warning. */
  readonly required: boolean | undefined;
};

export type Collected =
  | {
      readonly kind: 'platform';
      readonly snapshot: Snapshot;
      /** By identifier; undefined where none was wanted. */
      readonly secrets: Secrets | undefined;
      /** Undefined where no files were wanted. */
      readonly certificates: readonly Certificate[] | undefined;
      readonly warnings: readonly Warning[];
    }
  /** The platform is not required, and did not answer. */
  | { readonly kind: 'standalone'; readonly warnings: readonly Warning[] };

const { secrets, environment, server, hub } = endpoints;

/** In the order in which their failures are reported. */
const needed: readonly string[] = [...servicePaths, secrets.path];

type Secrets = ReadonlyMap<string, Secret>;

type Needed = readonly [
  services: Services,
  secrets: Secrets | undefined,
  certificates: readonly Certificate[] | undefined,
];

type OptionalOutcomes = readonly [
  environment: Outcome<NamedThing>,
  server: Outcome<Server>,
  hub: Outcome<NamedThing>,
  certificates: Outcome<readonly CertificateSummary[]> | undefined,
];

type Started = {
  readonly services: Promise<Services>;
  readonly environment: Promise<Outcome<NamedThing>>;
  readonly server: Promise<Outcome<Server>>;
  readonly hub: Promise<Outcome<NamedThing>>;
};

/** @throws {StartError} 78 if the token cannot be sent. */
export function startInternalApi(options: InternalApiOptions): InternalApi {
  const session = startSession(options);
  const started: Started = {
    services: fetchServices(session),
    environment: ask(session, environment),
    server: ask(session, server),
    hub: ask(session, hub),
  };
  // Until it is collected nobody listens to its rejection, which would end the process.
  started.services.catch(() => undefined);
  void noticeWait(session, options);

  return {
    collect: async (wanted) => {
      try {
        return await collect(session, started, wanted);
      } catch (error) {
        return standaloneOr(error, wanted.required);
      } finally {
        endSession(session);
      }
    },
    close: () => endSession(session),
  };
}

async function collect(
  session: Session,
  started: Started,
  wanted: CollectOptions,
): Promise<Collected> {
  const deadlineAtMs = session.startedAtMs + wanted.deadlineMs;
  const leftMs = () => Math.max(0, deadlineAtMs - session.options.nowMs());
  const { wantCertificates } = wanted;
  const asked =
    wantCertificates === 'domains' ? askCertificates(session, read.parseDomains) : undefined;
  const secretsAnswer = wanted.wantSecrets ? needSecrets(session, wanted) : undefined;
  const answered = await Promise.race([
    Promise.all([
      started.services,
      secretsAnswer,
      wantCertificates === 'files' ? needCertificates(session) : undefined,
    ]),
    pause(session, leftMs()),
  ]).catch(async (error: unknown) => {
    if (wanted.onSecrets !== undefined) {
      // Under way they are lost to us and, where they are served once, to everybody.
      await Promise.allSettled([Promise.race([secretsAnswer, pause(session, graceMs)])]);
    }

    throw error;
  });
  if (typeof answered === 'string') {
    throw platformError(mostTelling(session, wantCertificates === 'files'));
  }

  const optional = Promise.all([started.environment, started.server, started.hub, asked]);
  await Promise.race([optional, pause(session, Math.min(graceMs, leftMs()))]);
  endSession(session); // Ends what is still under way among the optional ones.
  return combine(answered, await optional);
}

async function needSecrets(session: Session, { onSecrets }: CollectOptions): Promise<Secrets> {
  const values = await need(session, secrets);
  onSecrets?.(values);
  return values;
}

function combine(
  [{ warnings, ...services }, secretValues, certificates]: Needed,
  [environmentEnd, serverEnd, hubEnd, certificatesEnd]: OptionalOutcomes,
): Collected {
  const found = {
    environment: valueOf(environmentEnd),
    server: valueOf(serverEnd),
    hub: valueOf(hubEnd),
    certificates: valueOf(certificatesEnd),
  };
  return {
    kind: 'platform',
    snapshot: {
      ...services,
      ...(found.environment && { environment: found.environment }),
      ...(found.server && { server: found.server }),
      ...(found.hub && { hub: found.hub }),
      ...(found.certificates && { certificates: found.certificates }),
    },
    secrets: secretValues,
    certificates,
    warnings: [
      ...warnings,
      ...leftOut(environmentEnd, 'WARP_ENV and WARP_ENV_ID are left out'),
      ...leftOut(serverEnd, 'WARP_RUNNER and WARP_RUNNER_ID are left out'),
      ...leftOut(hubEnd, 'WARP_PROJECT and WARP_PROJECT_ID are left out'),
      ...leftOut(certificatesEnd, 'certificates are not shown'),
    ],
  };
}

/** What can be left out gets no more time than this once everything else is there, or has failed. */
const graceMs = 1000;

function valueOf<T>(outcome: Outcome<T> | undefined): T | undefined {
  return outcome?.kind === 'value' ? outcome.value : undefined;
}

function leftOut(outcome: Outcome<unknown> | undefined, consequence: string): readonly Warning[] {
  return outcome?.kind === 'given-up' ? [leftOutWarning(outcome.givenUp, consequence)] : [];
}

/** A timer that is so late tells of a config that blocked the event loop: meanwhile no answer could be read. */
const blockedMs = 100;

async function noticeWait(session: Session, options: InternalApiOptions): Promise<void> {
  const { noticeMs = 2000, nowMs } = options;
  const startMs = nowMs();
  let end = await pause(session, noticeMs);
  if (nowMs() - startMs > noticeMs + blockedMs) {
    end = await pause(session, noticeMs);
  }

  if (end === 'elapsed' && needed.some((path) => session.pending.has(path))) {
    const { path, failure } = mostTelling(session, false);
    options.onWait(`GET ${path}: ${describeFailure(failure, options.socketPath)}`);
  }
}

/** Of what is still needed the first that has failed, else the first that is under way. */
function mostTelling(session: Session, needsCertificates: boolean): GivenUp {
  const all = needsCertificates ? [...needed, ...certificatePaths] : needed;
  const paths = all.filter((path) => session.pending.has(path));
  const path =
    paths.find((each) => session.pending.get(each)?.failure !== undefined) ??
    paths[0] ??
    secrets.path;
  const failure = session.pending.get(path)?.failure ?? noAnswer;
  return givenUp(session, path, failure);
}

function standaloneOr(error: unknown, required: boolean | undefined): Collected {
  const isUnavailable = error instanceof StartError && error.exitCode === exitStatus.unavailable;
  if (required !== false || !isUnavailable) {
    throw error;
  }

  const { where, fix } = error.remedy;
  const message = `${error.message}. It is not required: the config alone is used.`;
  return { kind: 'standalone', warnings: [{ code: 'W_STANDALONE', message, where, fix }] };
}
