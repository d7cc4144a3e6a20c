// A terminal for tests: somebody who types and reads, at the other end of a pseudo-terminal.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { isRoot, program } from './pid1.ts';
import { childrenOf, escape, eventually, programOf, startProcess } from './process.ts';
import type { Running, StartOptions } from './process.ts';

export const key = { ctrlC: '\u0003', ctrlD: '\u0004', ctrlZ: '\u001A', ctrlBackslash: '\u001C' };

export type Terminal = Running & {
  /** E.g. `/dev/pts/3`. */
  readonly path: string;
  readonly type: (keys: string) => void;
  /** Waits until this is shown, behind what was waited for before. */
  readonly shows: (wanted: string | RegExp) => Promise<RegExpMatchArray>;
  /** All that was shown, and is not waited for yet. */
  readonly rest: () => string;
  readonly resize: (columns: number) => void;
  /** As `stty -g` says it. */
  readonly modes: () => string;
};

export type TerminalOptions = StartOptions & {
  /** Whose session has the terminal: that of the command, or none yet. @default 'leader' */
  readonly session?: 'leader' | 'none';
  /** For the command's 0, 1, 2: `t` the terminal, a digit that descriptor of `stdio`, `-` closed. @default 'ttt' */
  readonly descriptors?: string;
};

/** Runs a command with a terminal of its own. */
export async function startInTerminal(
  command: readonly string[],
  options: TerminalOptions = {},
): Promise<Terminal> {
  const { session = 'leader', descriptors = 'ttt', ...rest } = options;
  const running = startProcess(
    program('in-terminal'),
    [session, descriptors, ...command],
    // Bash shows no escape sequences then.
    { ...rest, env: { TERM: 'dumb', ...rest.env } },
  );
  const [, path = ''] = await running.stderr.waitFor(/^(\/dev\/\S+)\n/);
  let read = 0;
  return {
    ...running,
    path,
    type: (keys) => void running.child.stdin?.write(keys),
    shows: async (wanted) => {
      const match = await eventually(() => findBehind(running.stdout.text(), read, wanted));
      read = (match.index ?? 0) + match[0].length;
      return match;
    },
    rest: () => running.stdout.text().slice(read),
    resize: (columns) => void execFileSync('stty', ['-F', path, 'cols', String(columns)]),
    modes: () => execFileSync('stty', ['-F', path, '-g'], { encoding: 'utf8' }).trim(),
  };
}

/** What makes the program behind it PID 1 that leads the session of its terminal, as a container engine does. */
export const asContainer = [
  'unshare',
  ...(isRoot ? [] : ['--map-root-user']),
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child',
  'setsid',
  '--ctty',
];

/** An interactive shell, whose prompt is `$ `. */
export const shell = ['env', 'PS1=$ ', 'bash', '--norc', '--noprofile', '--noediting', '-i'];

/** The only process below `pid` that runs `name`; waits for it. */
export function descendantRunning(pid: number, name: string): Promise<number> {
  return eventually(() => {
    const all = [pid];
    for (const parent of all) {
      all.push(...childrenOf(parent));
    }

    const found = all.find((each) => programOf(each).endsWith(`/${name}`));
    if (found === undefined) {
      throw new Error(`nothing below ${pid} runs ${name}`);
    }

    return found;
  });
}

/** Of proc_pid_stat(5), in the namespace of the test. */
export function groupsOf(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [group, session, , foreground] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(2, 6)
    .map(Number);
  return { group, session, foreground };
}

function findBehind(text: string, start: number, wanted: string | RegExp): RegExpExecArray {
  const source = typeof wanted === 'string' ? escape(wanted) : wanted.source;
  const pattern = new RegExp(source, 'gm');
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  if (match === null) {
    throw new Error(`the terminal has not shown ${String(wanted)}, but ${text.slice(start)}`);
  }

  return match;
}
