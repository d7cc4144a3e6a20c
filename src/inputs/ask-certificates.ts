// The certificates of this container: a newer path, and the one where older platforms answer.
import type { Certificate } from '../core/snapshot.ts';
import { platformError } from './platform-failure.ts';
import { ask } from './platform-request.ts';
import type { Outcome, Session } from './platform-request.ts';
import type { Parsed } from './shape.ts';
import { parseCertificates } from './snapshot.ts';

const path = '/v1/containers/certificates';
const oldPath = '/v1/container/certificates';

/** Those that {@link needCertificates} may wait for. */
export const certificatePaths: readonly string[] = [path, oldPath];

/** Never rejects. */
export async function askCertificates<T>(
  session: Session,
  parse: (body: unknown) => Parsed<readonly T[]>,
): Promise<Outcome<readonly T[]>> {
  const outcome = await ask(session, { path, parse });
  const failure = outcome.kind === 'given-up' ? outcome.givenUp.failure : undefined;
  const isUnknown = failure?.kind === 'status' && failure.code === '404.uri';
  if (!isUnknown) {
    return outcome;
  }

  session.pending.delete(path);
  return ask(session, { path: oldPath, parse });
}

/** With their private keys. @throws {StartError} */
export async function needCertificates(session: Session): Promise<readonly Certificate[]> {
  const outcome = await askCertificates(session, parseCertificates);
  if (outcome.kind === 'given-up') {
    throw platformError(outcome.givenUp);
  }

  return outcome.value;
}
