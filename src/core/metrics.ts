// The status as metrics: the text format of Prometheus, version 0.0.4. Documented in docs/operations.md.
//
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/ and, for the names, …/docs/practices/naming/.
import { reloadOutcomes } from './reload-report.ts';
import type { Status } from './status.ts';

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** @param unixTimeMs - Now, for the one metric that is a date. */
export function formatMetrics(status: Status, unixTimeMs: number): string {
  return [
    ...initMetrics(status),
    ...appMetrics(status),
    ...pipelineMetrics(status),
    ...reloadMetrics(status, unixTimeMs),
  ]
    .filter(({ samples }) => samples.length > 0)
    .map(formatMetric)
    .join('');
}

type Metric = {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
};

type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number };

function initMetrics({ init }: Status): Metric[] {
  return [
    {
      name: 'warp_init_info',
      type: 'gauge',
      help: 'Always 1; which warp-init runs, and whether it is PID 1.',
      samples: [{ labels: { version: init.version, pid1: String(init.isPid1) }, value: 1 }],
    },
    {
      name: 'warp_init_uptime_seconds',
      type: 'gauge',
      help: 'Time since warp-init was started.',
      samples: seconds(init.uptimeMs),
    },
    {
      name: 'warp_init_brain_restarts_total',
      type: 'counter',
      help: 'Times that the brain was started again after it had ended unexpectedly.',
      samples: count(init.brainStarts === undefined ? undefined : restarts(init.brainStarts)),
    },
  ];
}

function appMetrics({ app, pid1 }: Status): Metric[] {
  return [
    {
      name: 'warp_init_app_running',
      type: 'gauge',
      help: '1 while the app runs.',
      samples: count(Number(app.pid !== undefined)),
    },
    {
      name: 'warp_init_app_restarts_total',
      type: 'counter',
      help: 'Times that the app was started again, those among them that fell back to the launch before.',
      samples: count(restarts(app.starts)),
    },
    {
      name: 'warp_init_app_uptime_seconds',
      type: 'gauge',
      help: 'Time since the app was started last.',
      samples: seconds(app.uptimeMs),
    },
    {
      name: 'warp_init_orphans_reaped_total',
      type: 'counter',
      help: 'Orphans of the app that have ended and were waited for.',
      samples: count(pid1?.orphansReaped),
    },
    {
      name: 'warp_init_signals_forwarded_total',
      type: 'counter',
      help: 'Signals from outside that the app was sent.',
      samples: count(pid1?.signalsForwarded),
    },
  ];
}

function pipelineMetrics({ pipeline }: Status): Metric[] {
  return [
    {
      name: 'warp_init_pipeline_needed',
      type: 'gauge',
      help: '1 where the notifications of the platform are to be followed.',
      samples: count(Number(pipeline.isNeeded)),
    },
    {
      name: 'warp_init_pipeline_connected',
      type: 'gauge',
      help: '1 while the notification pipeline is connected.',
      samples: count(Number(pipeline.isConnected)),
    },
    {
      name: 'warp_init_pipeline_connects_total',
      type: 'counter',
      help: 'Times that the notification pipeline was connected.',
      samples: count(pipeline.connects),
    },
    {
      name: 'warp_init_notifications_total',
      type: 'counter',
      help: 'Messages of the notification pipeline, those that were ignored among them.',
      samples: count(pipeline.eventsSeen),
    },
    {
      name: 'warp_init_notifications_ignored_total',
      type: 'counter',
      help: 'Messages of the notification pipeline that led to nothing, by reason.',
      samples: byLabel('reason', pipeline.eventsIgnored),
    },
  ];
}

function reloadMetrics({ reload }: Status, unixTimeMs: number): Metric[] {
  // A series that appears with its first failure cannot be seen to rise.
  const none = Object.fromEntries(reloadOutcomes.map((outcome) => [outcome, 0]));
  const { lastSuccessMs, held } = reload;
  return [
    {
      name: 'warp_init_reloads_total',
      type: 'counter',
      help: 'Reloads that have finished, by what they came to.',
      samples: byLabel('outcome', { ...none, ...reload.byOutcome }),
    },
    {
      name: 'warp_init_reload_held',
      type: 'gauge',
      help: '1 while a signal or a restart is due that cannot be done yet.',
      samples: byLabel('action', {
        signal: Number(held === 'signal'),
        restart: Number(held === 'restart'),
      }),
    },
    {
      name: 'warp_init_reload_last_success_timestamp_seconds',
      type: 'gauge',
      help: 'Unix time of the last reload that worked, to the second. Absent before the first one.',
      samples: count(
        // The age and the clock are read a moment apart.
        lastSuccessMs === undefined ? undefined : Math.round((unixTimeMs - lastSuccessMs) / 1000),
      ),
    },
  ];
}

function restarts(starts: number): number {
  return Math.max(0, starts - 1);
}

/** None where it is not known. */
function count(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ value }];
}

function seconds(durationMs: number | undefined): readonly Sample[] {
  return count(durationMs === undefined ? undefined : Math.round(durationMs) / 1000);
}

function byLabel(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function formatMetric({ name, type, help, samples }: Metric): string {
  const lines = samples.map(({ labels = {}, value }) => `${name}${formatLabels(labels)} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}
