// Whether a running init does all that it is there for: one line for HEALTHCHECK, and for people.
import type { Status } from './status.ts';

export type Health = { readonly isHealthy: boolean; readonly text: string };

/** The app runs, and the pipeline is connected where there is something to follow. */
export function judgeHealth({ app, pipeline }: Status): Health {
  if (app.pid === undefined) {
    const why = app.isRestarting ? 'it is being restarted' : 'it has ended';
    return { isHealthy: false, text: `unhealthy: the app does not run, ${why}` };
  }

  const runs = `the app runs (pid ${app.pid})`;
  if (!pipeline.isNeeded) {
    return { isHealthy: true, text: `healthy: ${runs}, nothing is followed` };
  }

  return pipeline.isConnected
    ? { isHealthy: true, text: `healthy: ${runs}, the pipeline is connected` }
    : { isHealthy: false, text: `unhealthy: ${runs}, but the pipeline is not connected` };
}
