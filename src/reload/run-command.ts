// `init.reload.command`: run with the app's new environment, as the app's user, within a deadline; its output is log.
//
// It has a process group of its own, so that the deadline reaches all that it started. No descriptor of ours but its
// output reaches it: Node has set close-on-exec on those that it inherited. libuv drops the supplementary groups where it
// changes the user, and has no way to set them: a command of another user has the groups uid and gid alone.
import type { Readable } from 'node:stream';

import type { Variable } from '../core/environment.ts';
import { createLineSplitter } from '../core/line-splitter.ts';
import type { Ids } from '../core/plan.ts';
import { createRedaction } from '../core/redact.ts';
import { Secret } from '../core/secret.ts';
import { errnoOf } from '../errors.ts';
import { signalGroup } from './signal-group.ts';

export type ReloadCommandRun = {
  readonly argv: readonly string[];
  readonly variables: readonly Variable[];
  /** That its output may hold, besides those variables. */
  readonly secrets: readonly Secret[];
  /** Undefined: who we are. */
  readonly account: Pick<Ids, 'uid' | 'gid'> | undefined;
  /** `init.cwd`; undefined: where we are. */
  readonly directory: string | undefined;
  /** Until SIGTERM. */
  readonly deadlineMs: number;
  /** From SIGTERM to SIGKILL; default 2 s. */
  readonly killDelayMs?: number;
  /** Of stdout and stderr, without secrets. */
  readonly onLine: (line: string) => void;
  /** It runs, in a group of its own. */
  readonly onStart?: (pid: number) => void;
};

export type CommandEnd =
  | { readonly kind: 'ok' }
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'signaled'; readonly signal: string }
  | { readonly kind: 'timed-out' }
  /** `reason`: an errno name. EINVAL: a NUL in an argument. */
  | { readonly kind: 'not-started'; readonly reason: string };

/** Never rejects: the app runs, and a command that fails is only news. */
export async function runCommand(command: ReloadCommandRun): Promise<CommandEnd> {
  try {
    return await run(command);
  } catch (error) {
    return { kind: 'not-started', reason: errnoOf(error) ?? 'EINVAL' };
  }
}

async function run(command: ReloadCommandRun): Promise<CommandEnd> {
  const { argv, account, directory, deadlineMs, killDelayMs = 2000 } = command;
  const [file = '', ...args] = argv;
  const { execa } = await import('execa');
  const child = execa(file, args, {
    env: environmentOf(command.variables),
    extendEnv: false,
    ...(account !== undefined && { uid: account.uid, gid: account.gid }),
    ...(directory !== undefined && { cwd: directory }),
    detached: true,
    stdin: 'ignore',
    buffer: false,
    reject: false,
  });
  if (child.pid !== undefined) {
    command.onStart?.(child.pid);
  }

  const output = followOutput([child.stdout, child.stderr], command);
  const deadline = startDeadline(child.pid, deadlineMs, killDelayMs);
  child.once('exit', () => {
    deadline.stop();
    // What the command left running may hold the pipes open for ever.
    setTimeout(output.close, drainMs);
  });

  // One that cannot be killed (of another user, without CAP_KILL; in uninterruptible sleep) must not hold up what follows.
  const result = await Promise.race([child, deadline.isGivenUp]);
  deadline.stop();
  output.end();
  if (result === undefined) {
    child.unref();
    output.close();
    return { kind: 'timed-out' };
  }

  const { exitCode, signal, code } = result;
  if (deadline.hasPassed()) {
    return { kind: 'timed-out' };
  }

  if (signal !== undefined) {
    return { kind: 'signaled', signal };
  }

  return exitCode === undefined
    ? { kind: 'not-started', reason: code ?? 'EINVAL' }
    : exitCode === 0
      ? { kind: 'ok' }
      : { kind: 'exited', status: exitCode };
}

function environmentOf(variables: readonly Variable[]): Record<string, string> {
  return Object.fromEntries(
    variables.map(({ name, value }) => [name, value instanceof Secret ? value.reveal() : value]),
  );
}

/** For what is still in the pipes when the command has ended. */
const drainMs = 200;

const maxLines = 1000;
const maxLineLength = 4096;

type Output = { readonly close: () => void; readonly end: () => void };

function followOutput(
  streams: readonly Readable[],
  { variables, secrets, onLine }: Pick<ReloadCommandRun, 'variables' | 'secrets' | 'onLine'>,
): Output {
  const values = variables.flatMap(({ value }) => (value instanceof Secret ? value : []));
  const { redact, longestPart } = createRedaction([...values, ...secrets]);
  const readLength = maxLineLength + longestPart;
  let lineCount = 0;
  const take = (line: string): void => {
    lineCount += 1;
    if (lineCount <= maxLines) {
      // Where a line was cut, its end may be the beginning of a secret.
      const whole =
        line.length < readLength ? redact(line) : redact(line).slice(0, -longestPart || undefined);
      onLine(whole.slice(0, maxLineLength));
    }
  };
  const splitters = streams.map((stream) => {
    const splitter = createLineSplitter(readLength, take);
    stream.setEncoding('utf8').on('data', splitter.write);
    return splitter;
  });

  return {
    close: () => {
      for (const stream of streams) {
        stream.destroy();
      }
    },
    end: () => {
      for (const splitter of splitters) {
        splitter.end();
      }

      if (lineCount > maxLines) {
        onLine(`(${lineCount - maxLines} more lines)`);
      }
    },
  };
}

type Deadline = {
  readonly hasPassed: () => boolean;
  /** It does not even end by SIGKILL. */
  readonly isGivenUp: Promise<undefined>;
  readonly stop: () => void;
};

/** From SIGKILL. */
const giveUpMs = 1000;

function startDeadline(pid: number | undefined, deadlineMs: number, killDelayMs: number): Deadline {
  let hasPassed = false;
  let terminate: NodeJS.Timeout | undefined;
  let kill: NodeJS.Timeout | undefined;
  let giveUp: NodeJS.Timeout | undefined;
  const isGivenUp = new Promise<undefined>((resolve) => {
    terminate = setTimeout(() => {
      hasPassed = true;
      signalGroup(pid, 'SIGTERM');
      kill = setTimeout(() => {
        signalGroup(pid, 'SIGKILL');
        giveUp = setTimeout(() => resolve(undefined), giveUpMs);
      }, killDelayMs);
    }, deadlineMs);
  });
  return {
    hasPassed: () => hasPassed,
    isGivenUp,
    stop: () => {
      clearTimeout(terminate);
      clearTimeout(kill);
      clearTimeout(giveUp);
      if (kill !== undefined) {
        kill = undefined;
        // The command has ended at last; what it started was told to end as well.
        signalGroup(pid, 'SIGKILL');
      }
    },
  };
}
