// What goes into the archive of `bundle`, by name: each as text, with nothing in it that is to be hidden.
import { readFileSync } from 'node:fs';
import { release } from 'node:os';

import { redactLog, redactValue, redactionOf, withoutLiterals } from '../core/bundle-redaction.ts';
import type { Redaction } from '../core/redact.ts';
import { StartError, errnoOf } from '../errors.ts';
import { askControlSocket } from '../inputs/control-client.ts';
import { readMemoryLimitBytes } from '../inputs/memory-limit.ts';
import { findLibc } from '../inputs/nsswitch-file.ts';
import { readNameOfPid1, readStatusFields } from '../inputs/process-facts.ts';
import type { StartWords } from '../invocation.ts';
import { version } from '../version.ts';
import { type FoundInit, findInit } from './ask-init.ts';
import { inheritedVariables } from './inherited-variables.ts';
import { type OwnRun, runSelf } from './run-self.ts';

export async function collectFiles(
  start: StartWords,
  madeAtMs: number,
): Promise<ReadonlyMap<string, string>> {
  const redaction = redactionOf(inheritedVariables());
  const [debug, check, running] = await Promise.all([
    runSelf(['debug', '--format=json'], start),
    runSelf(['check', '--json'], start),
    askInit(start),
  ]);
  const files: [name: string, text: string][] = [
    ['about.json', formatJson(describeSelf(madeAtMs))],
    ['debug.json', reportOf(debug, redaction)],
    ['debug.log', redactLog(debug.stderr, redaction)],
    ['check.json', reportOf(check, redaction)],
    ['check.log', redactLog(check.stderr, redaction)],
    ...['/etc/nsswitch.conf', '/etc/hosts', '/etc/resolv.conf'].map((path): [string, string] => [
      path.slice('/etc/'.length),
      String(redactValue(readOrSay(path), redaction)),
    ]),
    ...running.map(([name, text]): [string, string] => [
      name,
      name.endsWith('.log') ? redactLog(text, redaction) : formatReport(text, redaction),
    ]),
  ];
  return new Map(files);
}

function describeSelf(madeAtMs: number) {
  return {
    version: 1,
    madeAt: new Date(madeAtMs).toISOString(),
    initVersion: version,
    initFile: process.argv[1] ?? null,
    node: { version: process.version, path: process.execPath },
    machine: { arch: process.arch, kernel: release(), libc: findLibc('') },
    memoryLimitBytes: readMemoryLimitBytes() ?? null,
    pid1: readNameOfPid1() ?? null,
    process: readStatusFields(['Uid', 'Gid', 'Groups', 'CapEff', 'NoNewPrivs', 'Seccomp']),
  };
}

/** What a command has printed, or how it has ended without. */
function reportOf({ stdout, status }: OwnRun, redaction: Redaction): string {
  return stdout === ''
    ? formatJson({ printed: null, exitStatus: status ?? null })
    : formatReport(stdout, redaction);
}

function formatReport(text: string, redaction: Redaction): string {
  try {
    return formatJson(redactValue(withoutLiterals(JSON.parse(text)), redaction));
  } catch (error) {
    if (!(error instanceof SyntaxError)) {
      throw error;
    }

    return formatJson({ notJson: `${text.length} characters` });
  }
}

function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Status, map and log of the init that runs here. */
async function askInit({ options }: StartWords): Promise<[name: string, text: string][]> {
  const directory = options['state-directory'];
  const stateDirectory = typeof directory === 'string' ? directory : undefined;
  const found = await findOrSay(stateDirectory);
  if (found instanceof StartError) {
    return [['status.json', JSON.stringify({ error: found.message })]];
  }

  const { socketPath, text } = found;
  const files: [string, string][] = [['status.json', text]];
  for (const [path, name] of [
    ['/ist', 'ist.json'],
    ['/log', 'init.log'],
  ] as const) {
    const answer =
      socketPath === undefined
        ? undefined
        : await askControlSocket({ socketPath, method: 'GET', path, deadlineMs: 3000 });
    if (answer?.kind === 'answer' && answer.status === 200) {
      files.push([name, answer.text]);
    }
  }

  return files;
}

async function findOrSay(stateDirectory: string | undefined): Promise<FoundInit | StartError> {
  try {
    return await findInit({ stateDirectory });
  } catch (error) {
    if (error instanceof StartError) {
      return error;
    }

    throw error;
  }
}

function readOrSay(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) {
      throw error;
    }

    return `(cannot be read: ${errno})\n`;
  }
}
