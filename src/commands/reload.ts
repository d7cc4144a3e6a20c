// `warp-init reload`: everything is resolved again, `warp.config.js` too; prints what has changed.
import { formatReport, hasWorked } from '../core/reload-report.ts';
import { StartError, exitStatus } from '../errors.ts';
import { askControlSocket } from '../inputs/control-client.ts';
import { parseReport } from '../inputs/control-documents.ts';
import type { AskedInit, ReloadWords } from '../invocation.ts';
import { findInit, unusableAnswer } from './ask-init.ts';
import { writeOut } from './write-out.ts';

/**
 * Waits for quiet, for the platform, and for a command or a restart, but for none that is held: each of them has a deadline
 * of its own. This one is for an init that was stopped meanwhile.
 */
const deadlineMs = 15 * 60_000;

/**
 * @returns the exit status: 0 if what is new is in force, 1 if not.
 * @throws {StartError} 69: no init answers, its brain ends meanwhile, or it follows nothing.
 */
export async function reload({ isNow, ...asked }: AskedInit & ReloadWords): Promise<number> {
  const { socketPath } = await findInit(asked);
  if (socketPath === undefined) {
    throw nothingToReload();
  }

  const result = await askControlSocket({
    socketPath,
    method: 'POST',
    path: isNow ? '/reload?now' : '/reload',
    deadlineMs,
  });
  if (result.kind === 'failed') {
    throw unusableAnswer(
      socketPath,
      result.detail,
      result.reason === 'silent' ? undefined : askAgain,
    );
  }

  const report = parseReport(result.text);
  if (report === undefined) {
    throw unusableAnswer(socketPath, `its status is ${result.status}, and it is no report`);
  }

  await writeOut(formatReport(report));
  return hasWorked(report) ? 0 : 1;
}

/** The connection was cut: only the end of the brain does that. What it has not written is fetched by the next one. */
const askAgain =
  'Run it again: the brain has ended meanwhile (the log of the container says why), and the next one does not read warp.config.js by itself.';

function nothingToReload(): StartError {
  return new StartError(
    'E_NO_BRAIN',
    'Cannot reload: this init follows nothing, PID 1 alone is left',
    {
      exitCode: exitStatus.unavailable,
      remedy: {
        where: 'init.follow',
        fix: 'Restart the container; for reloads leave out init.follow and --exec, and give it a platform.',
      },
    },
  );
}
