// The config for a start: in this process, which is the fastest. pid1 ends a start that a config blocks.
import { type LoadedConfig, loadConfigFile } from '../inputs/config-file.ts';
import type { ConfigPlace } from '../inputs/config-path.ts';
import { restoreHiddenVariables } from '../inputs/own-environment.ts';
import type { Hello } from '../link/messages.ts';
import { configDeadlineMs } from './prepare.ts';
import { stuckReport } from './stuck-report.ts';

/** @throws {StartError} E_CONFIG. */
export async function loadConfigHere(
  place: ConfigPlace,
  { logIsPrivate }: Pick<Hello, 'logIsPrivate'>,
): Promise<LoadedConfig | undefined> {
  // A config may ask for NODE_ENV.
  restoreHiddenVariables(process.env);
  const onStuck = stuckReport({ kind: 'brain', logIsPrivate });
  const file = await loadConfigFile({ ...place, deadlineMs: configDeadlineMs, onStuck });
  // A rejected promise that the config has left behind shows itself here, and not after the start.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  return file;
}
