// `--format table`: the report for people, readable without colour and on 80 columns; no name is ever cut.
import { serviceRows } from './debug-services.ts';
import type { DebugInstance } from './debug-platform.ts';
import type { DebugReport } from './debug-report.ts';
import type { DebugStart } from './debug-start.ts';
import { stepRows } from './debug-steps.ts';
import { type Row, display, formatRows, onOneLine } from './debug-text.ts';
import { removedRows, secretRows, variableRows } from './debug-values.ts';

export function formatTable(report: DebugReport): string {
  const { services, conflicts, variables } = report;
  const inherited = variables.filter(({ origin }) => origin === 'inherited').length;

  return [
    section('This container', identityRows(report)),
    section('Its instances', instanceRows(report)),
    section('Certificates', certificateRows(report)),
    section(`Services (${services.length})`, serviceRows(services)),
    section(`Conflicts (${conflicts.length})`, conflictRows(report)),
    section(`Variables (${variables.length - inherited} of init, ${inherited} inherited)`, [
      ...variableRows(report),
      ...removedRows(report),
    ]),
    section('Secrets', secretRows(report.secrets)),
    section('Before the start', stepRows(report)),
    section('Start', startRows(report)),
    section('What would stop `run`', problemRows(report)),
    section('Warnings', warningRows(report)),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

/** Nothing at all without rows. */
function section(title: string, rows: readonly Row[]): string {
  return rows.length === 0 ? '' : `${title}\n${formatRows(rows)}`;
}

function identityRows({ identity }: DebugReport): Row[] {
  if (identity === null) {
    return [{ label: 'platform', items: ['none: standalone, the config alone is used'] }];
  }

  const { hub, environment, server, container } = identity;
  const facts = [
    container.identifier === '' ? [] : `identifier ${display(container.identifier)}`,
    container.deployment === null
      ? 'in no deployment'
      : `deployment ${display(container.deployment)}`,
    container.state === null ? [] : display(container.state),
  ].flat();

  return [
    { label: 'hub', items: [named(hub?.name, hub?.id)] },
    { label: 'environment', items: [named(environment?.name, environment?.id)] },
    { label: 'server', items: [named(server?.hostname, server?.id)] },
    { label: 'container', items: [named(container.name, container.id), ...facts] },
  ];
}

function named(name: string | undefined, id: string | undefined): string {
  return name === undefined || id === undefined
    ? '(the platform did not tell)'
    : `${display(name)} (${display(id)})`;
}

function instanceRows({ identity }: DebugReport): Row[] {
  if (identity === null) {
    return [];
  }

  const rows = identity.instances.map((instance) => ({
    label: display(instance.id),
    items: instanceFacts(instance),
  }));
  return identity.instanceId === null
    ? [...rows, { label: 'our own', items: ['(not known: see CYCLE_INSTANCE_ID)'] }]
    : rows;
}

function instanceFacts(instance: DebugInstance): string[] {
  return [
    instance.isOwn ? 'this one' : [],
    display(instance.state),
    instance.readyState === 'active' ? [] : display(instance.readyState),
    instance.isHealthy ? [] : 'unhealthy',
    instance.isReady ? [] : 'not ready',
    instance.isDraining ? 'draining' : [],
    instance.ipv4 ?? [],
    instance.ipv6 ?? [],
    `server ${display(instance.serverId)}`,
  ].flat();
}

function certificateRows({ mode, certificates }: DebugReport): Row[] {
  if (certificates === null || certificates.length === 0) {
    const label = certificates === null ? '(not known)' : '(none)';
    return mode === 'standalone' ? [] : [{ label, items: [] }];
  }

  return certificates.map(({ domain, certificateIds }) => ({
    label: display(domain),
    items: certificateIds.map(display),
  }));
}

function conflictRows({ conflicts }: DebugReport): Row[] {
  return conflicts.map(({ name, winner, losers }) => ({
    label: display(name),
    items: [`${display(winner)} has it`, ...losers.map((loser) => `not ${display(loser)}`)],
  }));
}

function startRows({ start }: DebugReport): Row[] {
  const { command, user } = start;
  const ids =
    user === null ? [] : [`uid ${user.uid}`, `gid ${user.gid}`, `HOME=${display(user.home)}`];
  const program = { label: 'program', items: [programOf(start)] };

  return [
    {
      label: 'command',
      items: command.length === 0 ? ['(none)'] : command.map(display),
      separator: ' ',
    },
    ...(command.length === 0 ? [] : [program]),
    { label: 'user', items: user === null ? ['that of init'] : [display(user.spec), ...ids] },
  ];
}

function programOf({ program, lookup }: DebugStart): string {
  switch (lookup) {
    case 'found':
      return display(program ?? '');
    case 'failed':
      return '(not found: see below)';
    case 'not-looked-up':
      return '(not looked up: PATH is a secret)';
  }
}

function problemRows({ problems }: DebugReport): Row[] {
  return problems.map(({ code, message, fix, exitStatus }) => ({
    label: code,
    items: onOneLine(`status ${exitStatus}: ${message}. ${fix}`).split(' '),
    separator: ' ',
  }));
}

/** In full they are on stderr. */
function warningRows({ warnings }: DebugReport): Row[] {
  const counts = new Map<string, number>();
  for (const { code } of warnings) {
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }

  return Array.from(counts, ([label, count]) => ({
    label,
    items: [`${count}, in full on stderr`],
  }));
}
