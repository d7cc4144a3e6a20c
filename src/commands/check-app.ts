// The command and the directory that it starts in, as the user of the app would find them.
import type { ProcessFacts } from '../core/check-process.ts';
import { type Finding, fails, isFine } from '../core/check-report.ts';
import { currentDirectory } from '../inputs/current-directory.ts';
import { type Visitor, foreseeExec } from '../inputs/foresee-exec.ts';
import { problemOfDirectory } from '../inputs/start-directory.ts';
import { accountOfApp, noCommandError, visitorFor } from './app-start.ts';
import type { Notes } from './check-notes.ts';
import { lookupProgram } from './debug.ts';
import type { Prepared } from './prepare.ts';
import { execError } from './spawn-error.ts';

export function inspectApp(notes: Notes, prepared: Prepared, facts: ProcessFacts): void {
  const visitor = visitorFor(accountOfApp(prepared), facts);
  inspectCommand(notes, prepared, visitor);
  inspectDirectory(notes, prepared, visitor);
}

function inspectCommand(notes: Notes, prepared: Prepared, visitor: Visitor): void {
  if (prepared.argv.length === 0) {
    inspectNoCommand(notes);
    return;
  }

  const program = lookupProgram(prepared);
  switch (program.kind) {
    case 'found':
      notes.add(judgeProgram(program.file, prepared, visitor));
      return;
    case 'failed':
      notes.add(fails('command', program.error));
      return;
    case 'not-looked-up':
      notes.skip(['command'], 'PATH is a secret');
  }
}

/** An init that runs has one; below another PID 1 we do not know it. */
function inspectNoCommand(notes: Notes): void {
  if (notes.findings.some(({ id }) => id === 'init')) {
    notes.skip(['command'], 'that of the init that runs here is not known: name it after --');
  } else {
    notes.add(fails('command', noCommandError()));
  }
}

function judgeProgram(
  file: string,
  { argv, resolved, config: { settings } }: Prepared,
  visitor: Visitor,
): Finding {
  const directory = settings.cwd ?? currentDirectory();
  const obstacle = foreseeExec(file, { visitor, directory });
  return obstacle === undefined
    ? isFine('command', file)
    : fails(
        'command',
        execError(obstacle.errno, { file, argv, variables: resolved.variables, settings }),
      );
}

function inspectDirectory(
  notes: Notes,
  { config: { settings } }: Prepared,
  visitor: Visitor,
): void {
  const { cwd } = settings;
  if (cwd === undefined) {
    return;
  }

  const problem = problemOfDirectory(cwd, visitor);
  notes.add(problem === undefined ? isFine('directory', cwd) : fails('directory', problem));
}
