// What a start warns of because of where and how it runs: no PID 1, options without effect, an open memory.
import { processWarnings } from '../core/process-warnings.ts';
import type { Settings } from '../core/settings.ts';
import type { Warning } from '../core/warning.ts';
import { readAncestors } from '../inputs/ancestors.ts';
import { isMemoryClosed } from '../inputs/own-environment.ts';
import type { Link } from '../link/link.ts';
import type { Prepared } from './prepare.ts';
import { ownIds } from './state-steps.ts';

export function startWarnings(link: Pick<Link, 'hello'>, prepared: Prepared): Warning[] {
  return [...placeWarnings(link, prepared), ...memoryWarnings(prepared)];
}

function placeWarnings({ hello }: Pick<Link, 'hello'>, { config }: Prepared): Warning[] {
  if (config.settings.exec) {
    return execWarnings(config.settings);
  }

  // pid1 is our parent.
  return hello.isPid1
    ? []
    : processWarnings(readAncestors(process.ppid), config.settings.subreaper !== false);
}

/** Where a brain stays that holds the token, and the app might read it. */
function memoryWarnings({ config: { settings }, platform, account }: Prepared): Warning[] {
  const isAnotherUser = account !== undefined && account.uid !== ownIds().uid;
  const isOver = platform === undefined || !settings.follow || settings.exec;
  return isOver || isAnotherUser || isMemoryClosed()
    ? []
    : [
        {
          code: 'W_OPEN_MEMORY',
          message:
            'The memory of the brain, with the token and the secrets in it, is open to processes of its user: memfd_create(2), LD_PRELOAD or PR_SET_DUMPABLE does not work here.',
          where: 'the kernel or the sandbox (seccomp) of the container',
          fix: 'Allow memfd_create and prctl there, or run the app as another user (--user).',
        },
      ];
}

function execWarnings(settings: Settings): Warning[] {
  const idle = [
    ...(settings.rewrite.size > 0 ? ['rewrite'] : []),
    ...(settings.exitStatus.size > 0 ? ['exitStatus'] : []),
    ...(settings.stopSignal === undefined ? [] : ['stopSignal']),
    ...(settings.killDelayMs === undefined ? [] : ['killDelay']),
    ...(settings.lingerMs === 0 ? [] : ['linger']),
    ...(settings.singleChild ? ['singleChild'] : []),
  ];
  return idle.length === 0
    ? []
    : [
        {
          code: 'W_EXEC_OPTIONS',
          message: `Without effect beside exec, where nothing of ours stays: ${idle.join(', ')}`,
          where: 'init.exec',
          fix: 'Leave out --exec, or these options.',
        },
      ];
}
