// One request to the platform, repeated until it gives something usable or a repetition cannot help.
//
// A session knows no deadline: whoever owns it ends it, and then everything under way is given up.
import { parseRetryAfterMs, retryDelayMs } from '../core/backoff.ts';
import type { Backoff } from '../core/backoff.ts';
import { StartError, exitStatus } from '../errors.ts';
import { createHttpClient } from './http.ts';
import type { HttpClient, RequestLimits } from './http.ts';
import type { HttpResult } from './http-result.ts';
import { isSuccess } from './http-step.ts';
import { createBodyReader } from './json-body.ts';
import type { BodyParser, BodyReader } from './json-body.ts';
import { parseJson, readJson } from './json.ts';
import { isTransient, platformError } from './platform-failure.ts';
import type { Failure, GivenUp } from './platform-failure.ts';

export type SessionOptions = {
  readonly socketPath: string;
  /** `CYCLE_API_TOKEN`. */
  readonly token: string | undefined;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** @default 50 ms, doubled up to 2 s */
  readonly backoff?: Backoff;
  /** Limits of one request. @default 5 s and 32 MiB */
  readonly limits?: RequestLimits;
};

export type Session = {
  readonly options: SessionOptions;
  readonly client: HttpClient;
  readonly startedAtMs: number;
  /** By path: what has not given a usable answer. */
  readonly pending: Map<string, Pending>;
  /** Ends a pause early. */
  readonly pauses: Set<(end: PauseEnd) => void>;
};

type Pending = { attempts: number; failure: Failure | undefined };

export type Endpoint<T> = BodyParser<T> & { readonly path: string };

export type Outcome<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'given-up'; readonly givenUp: GivenUp };

/** @throws {StartError} 78 if the token cannot be sent. */
export function startSession(options: SessionOptions): Session {
  checkToken(options.token);
  return {
    options,
    client: createHttpClient(options),
    startedAtMs: options.nowMs(),
    pending: new Map(),
    pauses: new Set(),
  };
}

/** @throws {StartError} 78 */
export function checkToken(token: string | undefined): void {
  if (token !== undefined && /[^\u0021-\u007e]/.test(token)) {
    throw new StartError(
      'E_TOKEN',
      'Cannot send CYCLE_API_TOKEN: it contains a space, a line break or another character that is not printable ASCII',
      {
        exitCode: exitStatus.config,
        remedy: {
          where: 'CYCLE_API_TOKEN',
          fix: 'Set CYCLE_API_TOKEN to the token alone, as the platform does.',
        },
      },
    );
  }
}

export function endSession(session: Session): void {
  session.client.close();
  for (const endPause of session.pauses) {
    endPause('ended');
  }
}

/** Like {@link ask}, for what we cannot start without. @throws {StartError} */
export async function need<T>(session: Session, endpoint: Endpoint<T>): Promise<T> {
  const outcome = await ask(session, endpoint);
  if (outcome.kind === 'given-up') {
    throw platformError(outcome.givenUp);
  }

  return outcome.value;
}

/** Never rejects. The first attempt leaves before this returns. */
export async function ask<T>(session: Session, endpoint: Endpoint<T>): Promise<Outcome<T>> {
  const { client, options, pending } = session;
  const { path } = endpoint;
  const state = pending.get(path) ?? { attempts: 0, failure: undefined };
  pending.set(path, state);

  for (;;) {
    state.attempts += 1;
    const body = createBodyReader(endpoint);
    const result = await client.get(path, options.limits ?? defaultLimits, body.onPart);
    const judged = judge(result, body, options);
    if (judged.kind === 'value') {
      pending.delete(path);
      return judged;
    }

    if (!isTransient(judged)) {
      // A request that was aborted says less than the failure before it.
      const isAborted = judged.kind === 'transport' && judged.reason === 'aborted';
      state.failure = isAborted ? (state.failure ?? judged) : judged;
      return { kind: 'given-up', givenUp: givenUp(session, path, state.failure) };
    }

    state.failure = judged;
    const retryAfterMs = judged.kind === 'status' ? judged.retryAfterMs : undefined;
    await pauseBeforeRetry(session, state.attempts, retryAfterMs);
  }
}

const defaultLimits: RequestLimits = { deadlineMs: 5000, maxBytes: 32 * 1024 * 1024 };
const defaultBackoff: Backoff = { initialMs: 50, factor: 2, limitMs: 2000 };

export function givenUp(session: Session, path: string, failure: Failure): GivenUp {
  return {
    path,
    failure,
    attempts: session.pending.get(path)?.attempts ?? 1,
    socketPath: session.options.socketPath,
    waitedMs: Math.round(session.options.nowMs() - session.startedAtMs),
  };
}

/** @param atLeastMs - What the platform asked for. */
export function pauseBeforeRetry(
  session: Session,
  attempt: number,
  atLeastMs = 0,
): Promise<PauseEnd> {
  const { backoff = defaultBackoff, random } = session.options;
  return pause(session, Math.max(atLeastMs, retryDelayMs(backoff, attempt, random())));
}

/** How a pause ended: its time was over, or the session was. */
export type PauseEnd = 'elapsed' | 'ended';

export function pause(session: Session, delayMs: number): Promise<PauseEnd> {
  return new Promise((resolve) => {
    const endPause = (end: PauseEnd): void => {
      clearTimeout(timer);
      session.pauses.delete(endPause);
      resolve(end);
    };
    const timer = setTimeout(endPause, delayMs, 'elapsed');
    session.pauses.add(endPause);
  });
}

type Judged<T> = { readonly kind: 'value'; readonly value: T } | Failure;

function judge<T>(result: HttpResult, reader: BodyReader<T>, { token }: SessionOptions): Judged<T> {
  if (result.kind === 'failed') {
    return { kind: 'transport', reason: result.reason, detail: result.detail };
  }

  const { status, headers, body, bodyBytes } = result.answer;
  if (!isSuccess(status)) {
    const retryAfterMs = parseRetryAfterMs(headers.get('retry-after'));
    const json = readJson(() => parseJson(body));
    return { kind: 'status', status, ...errorText(json, token), retryAfterMs };
  }

  const parsed = reader.finish(body);
  if (parsed === undefined) {
    return { kind: 'not-json', sizeBytes: bodyBytes };
  }

  return parsed.kind === 'value' ? parsed : { kind: 'shape', problem: parsed.problem };
}

const wordLimit = 300;

/** Code, title and detail of an error envelope. */
function errorText(json: unknown, token: string | undefined) {
  const error = fieldsOf(fieldsOf(json)['error']);
  const [code, title, detail] = [error['code'], error['title'], error['detail']].map((field) =>
    typeof field === 'string' && field !== '' ? cleaned(field, token) : undefined,
  );
  const words = [code && ` ${code}`, title && ` «${title}»`, detail && `, ${detail}`];
  return { code, words: words.filter(Boolean).join('') };
}

function cleaned(text: string, token: string | undefined): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
  return (token ? line.replaceAll(token, '[secret]') : line).slice(0, wordLimit);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
