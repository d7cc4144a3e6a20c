// Who we are, and which services there are where: three answers that have to fit together.
import type { Snapshot } from '../core/snapshot.ts';
import type { Warning } from '../core/warning.ts';
import { endpoints } from './endpoints.ts';
import type { Failure } from './platform-failure.ts';
import { need, pauseBeforeRetry } from './platform-request.ts';
import type { Session } from './platform-request.ts';

export type Services = Pick<Snapshot, 'self' | 'containers' | 'instances'> & {
  readonly warnings: readonly Warning[];
};

const { container, containers, instances } = endpoints;

/** In the order in which their failures are reported. */
export const servicePaths: readonly string[] = [container, containers, instances].map(
  ({ path }) => path,
);

/** Asks again while our own container is not among the others. @throws {StartError} */
export async function fetchServices(session: Session): Promise<Services> {
  for (let round = 1; ; round += 1) {
    const [own, all, placed] = await Promise.all([
      need(session, container),
      need(session, containers),
      need(session, instances),
    ]);
    if (all.some(({ id }) => id === own.id)) {
      return { self: own, containers: all, ...placed };
    }

    const failure: Failure = { kind: 'stranger', containerId: own.id, count: all.length };
    session.pending.set(containers.path, { attempts: round, failure });
    await pauseBeforeRetry(session, round);
  }
}
