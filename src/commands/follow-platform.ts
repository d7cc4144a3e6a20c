// The pipeline of the platform that the config names now: a reload may name another socket.
import { lossWarning } from '../core/pipeline-warning.ts';
import { nowMs } from '../inputs/monotonic-clock.ts';
import { startPipeline } from '../reload/pipeline.ts';
import type { Operator } from './operator-state.ts';

/** May be called again. */
export function followPlatform(operator: Operator): void {
  const { session, log, reloader, followed } = operator;
  const { socketPath } = session.known.config.settings;
  if (followed?.socketPath === socketPath) {
    return;
  }

  followed?.pipeline.close();
  const pipeline = startPipeline({
    socketPath,
    token: session.surroundings.inherited.get('CYCLE_API_TOKEN'),
    scope: () => session.known.scope,
    onConnected: () => reloader.connected(),
    onChanges: (kinds) => reloader.changed([...kinds]),
    onLost: (loss) => log.warn(lossWarning(loss, socketPath)),
    nowMs,
    random: Math.random,
  });
  operator.followed = { socketPath, pipeline };
}
