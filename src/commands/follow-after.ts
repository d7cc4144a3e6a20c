// A brain that comes after one that ended: pid1 has kept a memo for it, and the app runs.
//
// Nothing is read again that the predecessor had read: what the operator has edited since then waits for a reload by hand.
import { stateCandidates } from '../core/state-directory.ts';
import { type Memo, emptyMemo } from '../core/memo.ts';
import { openStateDirectory } from '../apply/state-directory.ts';
import { StartError } from '../errors.ts';
import { readCertificates } from '../inputs/certificate-directory.ts';
import { parseBareRun } from '../invocation.ts';
import type { Link } from '../link/link.ts';
import type { Log } from '../log.ts';
import { type FollowOptions, followOn } from './follow.ts';
import type { Session } from './follow-session.ts';
import { type Surroundings, readConfigAgain } from './gather-again.ts';
import { type Known, knownByMemo } from './known.ts';
import { unpackMemo } from './memo-bytes.ts';
import { completeConfig, intend, sourcesOf } from './prepare.ts';
import { ownIds } from './state-steps.ts';
import { warnOnce } from './warn-once.ts';
import { watchDefects } from './watch-defects.ts';

/** After the end of another brain. */
export async function followAfterAnother(
  link: Link,
  inherited: ReadonlyMap<string, string>,
  baseLog: Log,
): Promise<void> {
  watchDefects(baseLog);
  const { hello } = link;
  const log = warnOnce(baseLog);
  const invocation = await parseRun(hello.argv.slice(1));
  const sources = sourcesOf({ inherited, log, commandLine: invocation.options });
  const memo = unpackMemo(hello.memo) ?? emptyMemo;
  const { config, intent } = await patiently(log, () => recall(memo, { inherited, sources }));
  const { logLevel, logFormat, stateDirectory } = config.settings;
  log.open({ level: logLevel, format: logFormat });
  const { uid } = ownIds();
  const session: Session = {
    surroundings: {
      inherited,
      sources,
      argv: invocation.argv,
      state: openStateDirectory(stateCandidates(stateDirectory, uid), uid),
      log,
    },
    known: knownByMemo(memo, {
      config,
      intent,
      // The platform may serve one without its text, because it is being renewed.
      certificates: readCertificates(
        config.settings.certificates?.directory,
        new Set(memo.writtenCertificates.map(([name]) => name)),
      ),
    }),
    applied: undefined,
    told: memo.told,
    candidate: undefined,
  };
  followOn(session, {
    link,
    log,
    appPid: hello.appPid ?? 0,
    launch: () => hello.launch,
    spacing: memo.spacing,
    command: memo.command,
  });
}

/** What the predecessor has read; without it the files as they are now. */
async function recall(
  { written }: Memo,
  { inherited, sources }: Pick<Surroundings, 'inherited' | 'sources'>,
): Promise<Pick<Known, 'config' | 'intent'>> {
  const config =
    written === undefined
      ? await readConfigAgain({ inherited, sources })
      : completeConfig(written.config, sources);
  return { config, intent: await intend({ inherited }, config, written?.dotenv) };
}

async function parseRun(args: readonly string[]): Promise<FollowOptions['invocation']> {
  const invocation =
    parseBareRun(args) ?? (await (await import('../cli.ts')).parseCommandLine(args));
  if (invocation.command !== 'run') {
    throw new RangeError(`an app runs that ${invocation.command} cannot have started`);
  }

  return invocation;
}

const patience = { initialMs: 1000, factor: 2, limitMs: 60_000 };

/** What is wrong now was right when the app was started, and may be so again. */
async function patiently<T>(log: Log, work: () => Promise<T>): Promise<T> {
  for (
    let delayMs = patience.initialMs;
    ;
    delayMs = Math.min(delayMs * patience.factor, patience.limitMs)
  ) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StartError)) {
        throw error;
      }

      log.open({ level: 'info', format: undefined });
      log.warn(notFollowing(error));
    }

    await new Promise((resolve) => {
      setTimeout(resolve, delayMs);
    });
  }
}

function notFollowing({ message, remedy }: StartError) {
  return {
    code: 'W_NOT_FOLLOWING',
    message: `The app runs, and nothing is reloaded until this is right again: ${message}`,
    ...remedy,
  };
}
