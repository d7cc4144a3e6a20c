// `init` of a config as its settings, or as its problems in words.
import { configError, parseConfig } from '../../src/core/config.ts';
import { describeProblem } from '../../src/core/config-problems.ts';
import { resolveSettings } from '../../src/core/settings.ts';
import type { Settings } from '../../src/core/settings.ts';

/** @throws {StartError} as `run` would. */
export function settingsOf(init: object): Settings {
  const result = parseConfig({ init });
  if (!result.ok) {
    throw configError('the config', result.problems);
  }

  return resolveSettings({ commandLine: {}, environment: {}, init: result.config.init });
}

export function problemsOf(init: object): string[] {
  const result = parseConfig({ init });
  return result.ok ? [] : result.problems.map(describeProblem);
}
