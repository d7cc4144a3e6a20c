// What is done before the start, as rows of the table.
import type { DebugReport } from './debug-report.ts';
import type { DebugCertificateFiles, DebugOwner, DebugStep } from './debug-start.ts';
import { type Row, display, onOneLine } from './debug-text.ts';

export function stepRows({ steps, nsswitch }: DebugReport): Row[] {
  const { verdict, reason, line } = nsswitch;
  const place = line === null ? [] : [`line ${line}`];

  return [
    { label: nsswitch.path, items: [verdict, ...place, onOneLine(reason)] },
    ...steps.flatMap(stepRow),
  ];
}

function stepRow(step: DebugStep): Row[] {
  switch (step.kind) {
    case 'nsswitch':
      return step.action === 'fix' ? [{ label: step.path, items: ['put `files` first'] }] : [];
    case 'write-hosts': {
      const names = step.entries.reduce((sum, entry) => sum + entry.names.length, 0);
      const items =
        step.entries.length === 0
          ? ['no names of ours']
          : [`${step.entries.length} addresses`, `${names} names (see --format hosts)`];
      return [{ label: step.path, items }];
    }
    case 'write-secret':
      return [fileRow(step, `the secret ${display(step.identifier)}`)];
    case 'unpack-secret':
      return [fileRow(step, `unpacked from the secret ${display(step.identifier)}`)];
    case 'write-certificates':
      return [
        fileRow(step, countCertificates(step.certificates)),
        ...step.certificates.map(keyRow),
      ];
    case 'write-env-file':
      return [fileRow(step, 'the environment of the app')];
    case 'write-ist':
      return [fileRow(step, 'the IST map')];
  }
}

function fileRow(
  { path, mode, uid, gid }: DebugOwner & { readonly path: string },
  content: string,
): Row {
  return { label: display(path), items: [content, `mode ${mode}`, `uid ${uid}`, `gid ${gid}`] };
}

function countCertificates({ length }: readonly unknown[]): string {
  return length === 1 ? 'one certificate' : `${length} certificates`;
}

function keyRow({ fullchain, privkey, domains }: DebugCertificateFiles): Row {
  return { label: display(fullchain), items: [display(privkey), ...domains.map(display)] };
}
