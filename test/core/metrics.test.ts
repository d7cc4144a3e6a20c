import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatMetrics } from '../../src/core/metrics.ts';
import type { Status } from '../../src/core/status.ts';
import { alone, busy } from './status-examples.ts';

const unixTimeMs = 1_700_000_000_000;

/** The lines of a metric, without its name. */
function samplesOf(name: string, status: Status = busy): string[] {
  return formatMetrics(status, unixTimeMs)
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length).trim());
}

describe('The metrics', () => {
  test.each([
    ['warp_init_info', ['{version="1.2.3",pid1="true"} 1']],
    ['warp_init_uptime_seconds', ['7384.215']],
    ['warp_init_brain_restarts_total', ['2']],
    ['warp_init_app_running', ['1']],
    ['warp_init_app_restarts_total', ['1']],
    ['warp_init_app_uptime_seconds', ['65.001']],
    ['warp_init_orphans_reaped_total', ['12']],
    ['warp_init_signals_forwarded_total', ['3']],
    ['warp_init_pipeline_needed', ['1']],
    ['warp_init_pipeline_connected', ['1']],
    ['warp_init_pipeline_connects_total', ['4']],
    ['warp_init_notifications_total', ['120']],
    [
      'warp_init_notifications_ignored_total',
      ['{reason="not-ours"} 17', '{reason="unknown-topic"} 2', '{reason="not-json"} 0'],
    ],
    ['warp_init_reload_held', ['{action="signal"} 0', '{action="restart"} 0']],
    ['warp_init_reload_last_success_timestamp_seconds', ['1700000000']],
  ])('have %s', (name, samples) => {
    expect(samplesOf(name)).toEqual(samples);
  });

  test('have every outcome of a reload from the beginning', () => {
    const samples = samplesOf('warp_init_reloads_total');
    expect(samples).toContain('{outcome="signaled"} 5');
    expect(samples).toContain('{outcome="failed"} 1');
    expect(samples).toContain('{outcome="fell-back"} 0');
    expect(samples).toHaveLength(14);
  });

  test('say that something waits, that the app does not run, that the pipeline is lost', () => {
    const status: Status = {
      ...busy,
      app: { ...busy.app, pid: undefined },
      pipeline: { ...busy.pipeline, isConnected: false },
      reload: { ...busy.reload, held: 'restart' },
    };
    expect(samplesOf('warp_init_reload_held', status)).toEqual([
      '{action="signal"} 0',
      '{action="restart"} 1',
    ]);
    expect(samplesOf('warp_init_app_running', status)).toEqual(['0']);
    expect(samplesOf('warp_init_pipeline_connected', status)).toEqual(['0']);
  });

  test('leave out what is not known', () => {
    const text = formatMetrics(alone, unixTimeMs);
    expect(text).not.toContain('orphans_reaped');
    expect(text).not.toContain('last_success');
    expect(text).not.toContain('brain_restarts');
    expect(text).toContain('warp_init_app_restarts_total 0\n');
    expect(text).not.toMatch(/undefined|NaN|null/);
  });

  test('do not move the time of the last success while only time passes', () => {
    expect(at(3_600_000, 4)).toBe(at(0, 0));
  });

  test('are text of Prometheus, whatever a reason is named', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', '\\', '"', '\n', '{', '}', '=', ' ', '#'),
    });
    const sample = /^[a-z_]+(?:\{(?:[a-z\d]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? -?\d+(?:\.\d+)?$/;
    fc.assert(
      fc.property(fc.dictionary(word, fc.nat()), fc.string(), (eventsIgnored, version) => {
        const text = formatMetrics(
          {
            ...busy,
            init: { ...busy.init, version },
            pipeline: { ...busy.pipeline, eventsIgnored },
          },
          unixTimeMs,
        );
        expect(text.endsWith('\n')).toBe(true);
        for (const line of text.slice(0, -1).split('\n')) {
          expect(line).toMatch(line.startsWith('#') ? /^# (?:HELP|TYPE) [a-z_]+ ./ : sample);
        }

        const reasons = [
          ...text.matchAll(/^warp_init_notifications_ignored_total\{reason="(.*)"\}/gm),
        ];
        expect(reasons.map(([, reason = '']) => unescape(reason)).toSorted()).toEqual(
          Object.keys(eventsIgnored).toSorted(),
        );
      }),
    );
  });

  test('are each described once, as a counter exactly where the name ends with _total', () => {
    const text = formatMetrics(busy, unixTimeMs);
    const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [
      name,
      type,
    ]);
    expect(new Set(types.map(([name]) => name)).size).toBe(types.length);
    expect(types.every(([name, type]) => (type === 'counter') === name?.endsWith('_total'))).toBe(
      true,
    );
    expect(text.match(/^# HELP/gm)).toHaveLength(types.length);
  });
});

function unescape(label: string): string {
  return label.replaceAll(/\\(.)/g, (_all, character: string) =>
    character === 'n' ? '\n' : character,
  );
}

/** The line of the last success, so much later, the clock being read a moment after the age. */
function at(elapsedMs: number, delayMs: number): string | undefined {
  const lastSuccessMs = 350 + elapsedMs;
  return formatMetrics(
    { ...busy, reload: { ...busy.reload, lastSuccessMs } },
    unixTimeMs + elapsedMs + delayMs,
  )
    .split('\n')
    .find((line) => line.includes('timestamp_seconds '));
}
