// The status for people: `warp-init status`.
import { type Row, display, formatRows } from './debug-text.ts';
import { judgeHealth } from './health.ts';
import { changedRows } from './reload-report.ts';
import type { Status } from './status.ts';

export function formatStatus(status: Status): string {
  const rows = [
    { label: 'init', items: describeInit(status) },
    { label: 'app', items: describeApp(status) },
    ...pipelineRows(status),
    ...reloadRows(status),
    ...pid1Rows(status),
  ];
  return `${judgeHealth(status).text}\n${formatRows(rows)}`;
}

function describeInit({ init: { version, isPid1, uptimeMs, brainStarts } }: Status): string[] {
  return [
    `version ${display(version)}`,
    isPid1 ? 'PID 1' : 'not PID 1',
    `up ${formatAge(uptimeMs)}`,
    ...(brainStarts === undefined ? [] : [`its brain was started ${times(brainStarts)}`]),
  ];
}

function describeApp({ app: { pid, starts, uptimeMs, isRestarting } }: Status): string[] {
  return [
    pid === undefined ? 'does not run' : `pid ${pid}`,
    ...(isRestarting ? ['is being restarted'] : []),
    ...(uptimeMs === undefined ? [] : [`up ${formatAge(uptimeMs)}`]),
    `started ${times(starts)}`,
  ];
}

function pipelineRows({ pipeline }: Status): Row[] {
  const { isNeeded, isConnected, connects, lastConnectedMs, eventsSeen, eventsIgnored } = pipeline;
  if (!isNeeded) {
    return [{ label: 'pipeline', items: ['not needed: nothing is followed'] }];
  }

  const last = lastConnectedMs === undefined ? [] : [`last ${formatAge(lastConnectedMs)} ago`];
  const ignored = countsOf(eventsIgnored);
  return [
    {
      label: 'pipeline',
      items: [
        isConnected ? 'connected' : 'not connected',
        `has connected ${times(connects)}`,
        ...last,
      ],
    },
    {
      label: 'notifications',
      items: [
        `${eventsSeen} seen`,
        ...(ignored.length === 0 ? [] : [`ignored: ${ignored[0]}`]),
        ...ignored.slice(1),
      ],
    },
  ];
}

function reloadRows({ reload }: Status): Row[] {
  const { phase, last, lastSuccessMs, byOutcome } = reload;
  if (phase === 'off') {
    return [];
  }

  const counts = countsOf(byOutcome);
  return [
    {
      label: 'reload',
      items: [display(phase), ...heldItems(reload)],
    },
    ...(counts.length === 0 ? [] : [{ label: 'reloads so far', items: counts }]),
    ...(last === undefined
      ? []
      : [
          { label: 'last reload', items: [last.outcome, `${formatAge(last.agoMs)} ago`] },
          ...changedRows(last.changed).map(({ label, items }) => ({ label: `  ${label}`, items })),
        ]),
    ...(lastSuccessMs === undefined
      ? []
      : [{ label: 'last success', items: [`${formatAge(lastSuccessMs)} ago`] }]),
  ];
}

function heldItems({ held, restartInMs }: Status['reload']): string[] {
  if (held === undefined) {
    return [];
  }

  const time = restartInMs === undefined ? '' : ` for ${formatAge(restartInMs)}`;
  return [`a ${held} is due and waits${time}`];
}

function pid1Rows({ pid1 }: Status): Row[] {
  return pid1 === undefined
    ? []
    : [
        {
          label: 'PID 1',
          items: [
            `${pid1.orphansReaped} orphans reaped`,
            `${pid1.signalsForwarded} signals forwarded`,
          ],
        },
      ];
}

/** Those that are not 0. */
function countsOf(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${display(name)}`);
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

const units = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1000 },
] as const;

/** In the largest unit of which there are two at least: `119 s`, `2 min`. */
function formatAge(durationMs: number): string {
  const unit = units.find(({ ms }) => durationMs >= 2 * ms);
  return unit === undefined
    ? `${Math.round(durationMs)} ms`
    : `${Math.floor(durationMs / unit.ms)} ${unit.name}`;
}
