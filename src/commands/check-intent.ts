// What the config asks for: dotenv files, users, owners of files. What there is not is noted, and left out from there on.
import type { CheckId } from '../core/check-report.ts';
import { fails, isFine } from '../core/check-report.ts';
import { judgeLimits, judgeUser } from '../core/check-process.ts';
import type { Config } from '../core/config.ts';
import { StartError } from '../errors.ts';
import { readProcessFacts } from '../inputs/process-facts.ts';
import { accountOfApp } from './app-start.ts';
import type { Notes } from './check-notes.ts';
import { type Intent, type PrepareOptions, intend } from './prepare.ts';

export type AnyIntent = { readonly config: Config; readonly intent: Intent };

export async function intendAnyway(
  notes: Notes,
  start: PrepareOptions,
  written: Config,
): Promise<AnyIntent> {
  const failed = new Set<Missing>();
  let config = written;
  for (;;) {
    try {
      const intent = await intend(start, config);
      describe(notes, { config, intent }, failed);
      return { config, intent };
    } catch (error) {
      if (!(error instanceof StartError)) {
        throw error;
      }

      const id = subjectOf(error);
      notes.add(fails(id, error));
      // Once it is left out it cannot fail again.
      failed.add(id);
      config = without(config, id);
    }
  }
}

type Missing = Extract<CheckId, 'dotenv' | 'user' | 'files'>;

function subjectOf({ code, message }: StartError): Missing {
  if (code === 'E_ENV_FILE') {
    return 'dotenv';
  }

  return message.startsWith('Cannot give files') ? 'files' : 'user';
}

function without(config: Config, id: Missing): Config {
  const { settings } = config;
  switch (id) {
    case 'dotenv':
      return { ...config, settings: { ...settings, dotenvFiles: [] } };
    case 'user':
      return { ...config, settings: { ...settings, user: undefined } };
    case 'files':
      return {
        ...config,
        settings: {
          ...settings,
          certificates: undefined,
          secrets: { ...settings.secrets, files: [] },
        },
      };
  }
}

function describe(notes: Notes, { config, intent }: AnyIntent, failed: ReadonlySet<Missing>): void {
  const { settings } = config;
  const facts = readProcessFacts();
  if (settings.dotenvFiles.length > 0) {
    notes.add(isFine('dotenv', settings.dotenvFiles.join(', ')));
  }

  if (!failed.has('user')) {
    notes.add(judgeUser(accountOfApp(intent), settings, facts));
  }

  notes.add(judgeLimits(settings.limits, facts));
}
