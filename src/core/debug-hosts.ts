// `--format hosts`: the block that init would write into /etc/hosts, then what it cannot hold, as comments.
import type { DebugReport } from './debug-report.ts';
import { inertWord } from './debug-text.ts';
import { hostsBlock } from './hosts-file.ts';

export function formatHosts({ steps, services }: DebugReport): string {
  const entries = steps.flatMap((step) => (step.kind === 'write-hosts' ? step.entries : []));
  const comments = services
    .filter(({ hostnames }) => hostnames.length === 0)
    .map(({ name, chosen }) => {
      const reason = chosen === null ? 'no address' : 'no hostname of its own';
      return `# service ${inertWord(name)}: ${reason}\n`;
    });

  return hostsBlock(entries) + comments.join('');
}
