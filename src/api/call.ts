// One call of a client: a session with the platform that ends with it, within a deadline, and that may be given up.
import type { Snapshot } from '../core/snapshot.ts';
import type { Warning } from '../core/warning.ts';
import { StartError } from '../errors.ts';
import { startInternalApi } from '../inputs/internal-api.ts';
import { nowMs } from '../inputs/monotonic-clock.ts';
import { noAnswer, platformError } from '../inputs/platform-failure.ts';
import { endSession, givenUp, pause, startSession } from '../inputs/platform-request.ts';
import type { Session } from '../inputs/platform-request.ts';
import type { KnownPlace } from './place.ts';

export type Limits = {
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
};

/** @throws {StartError} and what `signal` says. */
export async function callPlatform<T>(
  place: KnownPlace,
  limits: Limits,
  run: (session: Session) => Promise<T>,
): Promise<T> {
  const { deadlineMs, signal } = limits;
  signal?.throwIfAborted();
  const session = startSession({ ...place, nowMs, random: Math.random });
  const answer = run(session).then((value) => ({ value }));
  const stop = (): void => endSession(session);

  return giveUpWith(signal, stop, async () => {
    const first = await Promise.race([answer, pause(session, deadlineMs)]);
    if (typeof first === 'string') {
      throw overdue(session);
    }

    return first.value;
  });
}

/** @throws {StartError} and what `signal` says. */
export async function callSnapshot(
  place: KnownPlace,
  { deadlineMs, signal }: Limits,
): Promise<Snapshot & { readonly warnings: readonly Warning[] }> {
  signal?.throwIfAborted();
  const api = startInternalApi({
    ...place,
    nowMs,
    random: Math.random,
    onWait: () => undefined,
  });

  return giveUpWith(signal, api.close, async () => {
    const collected = await api.collect({
      deadlineMs,
      wantSecrets: false,
      wantCertificates: 'none',
      required: true,
    });
    if (collected.kind !== 'platform') {
      throw new RangeError('a platform that is required was left out');
    }

    return { ...collected.snapshot, warnings: collected.warnings };
  });
}

/** Stops when `signal` aborts, and in any case at the end. */
async function giveUpWith<T>(
  signal: AbortSignal | undefined,
  stop: () => void,
  work: () => Promise<T>,
): Promise<T> {
  signal?.addEventListener('abort', stop);
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted(); // The error is then that of the stop.
    throw forCallers(error);
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

function overdue(session: Session): StartError {
  // One path: a call that goes on to another has done with the first.
  const [[path, { failure }] = ['the answer', { failure: undefined }]] = session.pending;
  return platformError(givenUp(session, path, failure ?? noAnswer));
}

/** A remedy may name the option of the config; here it is another one. */
function forCallers(error: unknown): unknown {
  if (!(error instanceof StartError)) {
    return error;
  }

  const { code, message, exitCode, remedy } = error;
  const fix = remedy.fix.replace('init.platform.deadline', 'deadlineMs');
  return new StartError(code, message, { exitCode, remedy: { ...remedy, fix } });
}
