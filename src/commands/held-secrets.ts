// Which secrets the init that runs beside us holds: `debug` shows it, since it requests none itself.
import { askControlSocket } from '../inputs/control-client.ts';
import { parseHeldSecrets } from '../inputs/control-documents.ts';
import { stateDirectoriesOf } from '../inputs/state-directory.ts';
import { ownIds } from './state-steps.ts';

const deadlineMs = 1000;

/** Identifiers; undefined where no init answers that would say. */
export async function askHeldSecrets(
  stateDirectory: string | undefined,
): Promise<readonly string[] | undefined> {
  for (const directory of stateDirectoriesOf(stateDirectory, ownIds().uid)) {
    const socketPath = `${directory}/control.sock`;
    const result = await askControlSocket({
      socketPath,
      method: 'GET',
      path: '/secrets',
      deadlineMs,
    });
    // An older init answers with 404.
    if (result.kind === 'answer' && result.status === 200) {
      return parseHeldSecrets(result.text);
    }
  }

  return undefined;
}
