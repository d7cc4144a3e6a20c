// The way of a start, gone along by `check`: where a start would end, a failure is noted and the way goes on without it.
import { type CheckReport, buildCheckReport, isFine, warns } from '../core/check-report.ts';
import { judgeMemory, judgeNode, judgePid1 } from '../core/check-process.ts';
import type { Config } from '../core/config.ts';
import { judgeHealth } from '../core/health.ts';
import { configPath } from '../core/settings.ts';
import type { SettingSources } from '../core/settings-sources.ts';
import { StartError } from '../errors.ts';
import { findConfigFile, findUnreadConfig } from '../inputs/config-path.ts';
import { currentDirectory } from '../inputs/current-directory.ts';
import { readMemoryLimitBytes } from '../inputs/memory-limit.ts';
import { readNameOfPid1, readProcessFacts } from '../inputs/process-facts.ts';
import type { StartWords } from '../invocation.ts';
import { version } from '../version.ts';
import { findInit } from './ask-init.ts';
import { inspectMachine } from './check-machine.ts';
import { type Notes, createNotes } from './check-notes.ts';
import { inspectPlatform } from './check-platform.ts';
import { intendAnyway } from './check-intent.ts';
import { loadConfigForCommand } from './load-config.ts';
import { type PrepareOptions, readConfig, resolveAnswers, sourcesOf } from './prepare.ts';
import { inheritedVariables } from './inherited-variables.ts';

export async function inspect({ options, argv }: StartWords): Promise<CheckReport> {
  const notes = createNotes();
  const facts = readProcessFacts();
  const nameOfPid1 = readNameOfPid1();
  notes.add(judgeNode(process.version, process.execPath), judgeMemory(readMemoryLimitBytes()));
  if (nameOfPid1 === undefined) {
    notes.skip(['pid1'], '/proc does not tell what PID 1 is');
  } else {
    notes.add(judgePid1(facts, nameOfPid1));
  }

  const start: PrepareOptions = {
    commandLine: options,
    argv,
    inherited: inheritedVariables(),
    log: notes.logFor('config'),
    purpose: 'debug',
    loadConfig: loadConfigForCommand,
  };
  const config = await notes.attempt('config', () => readAndName(notes, start));
  await inspectInit(notes, config?.settings.stateDirectory);
  if (config === undefined) {
    notes.skip(
      ['dotenv', 'user', 'limits', 'directory', 'token', 'socket', 'platform', 'secrets', 'ist'],
      noConfig,
    );
    notes.skip(['environment', 'command', 'nsswitch', 'hosts', 'names', 'files'], noConfig);
    notes.skip(['certificates', 'state-directory'], noConfig);
  } else {
    await inspectConfigured(notes, start, config);
  }

  return buildCheckReport(version, notes.findings, notes.notChecked);
}

const noConfig = 'the config or an option is wrong';

async function readAndName(notes: Notes, start: PrepareOptions): Promise<Config> {
  const sources: Omit<SettingSources, 'init'> = sourcesOf(start);
  const config = await readConfig(start, sources);
  const place = { path: configPath(sources), directory: currentDirectory() };
  const file = findConfigFile(place);
  const [unread] = findUnreadConfig(place);
  notes.add(
    unread === undefined
      ? isFine('config', file ?? `there is no warp.config.js in ${place.directory}`)
      : warns('config', unread),
  );
  return config;
}

/** One that runs already. */
async function inspectInit(notes: Notes, stateDirectory: string | undefined): Promise<void> {
  try {
    const { status } = await findInit({ stateDirectory });
    const { isHealthy, text } = judgeHealth(status);
    notes.add(
      isHealthy
        ? isFine('init', text)
        : warns('init', {
            code: 'W_UNHEALTHY',
            message: `The init that runs here is ${text}`,
            where: 'the running init',
            fix: 'See `warp-init status`, and the log of the container.',
          }),
    );
  } catch (error) {
    if (!(error instanceof StartError)) {
      throw error;
    }

    notes.skip(['init'], error.message);
  }
}

async function inspectConfigured(
  notes: Notes,
  start: PrepareOptions,
  written: Config,
): Promise<void> {
  const { config, intent } = await intendAnyway(notes, start, written);
  const answers = await inspectPlatform(notes, start, { config, wanted: intent.wanted });
  const prepared = await notes.attempt('environment', () =>
    resolveAnswers(
      { ...start, log: notes.logFor('certificates') },
      { config, intent, answers: answers ?? undefined },
    ),
  );
  if (prepared === undefined) {
    notes.skip(
      ['ist', 'command', 'nsswitch', 'hosts', 'names', 'state-directory', 'files'],
      'the environment of the app cannot be made',
    );
    return;
  }

  await inspectMachine(notes, { prepared, facts: readProcessFacts() });
}
