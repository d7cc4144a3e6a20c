// The command and the directory that it starts in, as the user of the app would find them.
import type { ProcessFacts } from '../core/check-process.ts';
import { type Finding, fails, isFine } from '../core/check-report.ts';
import type { Visitor } from '../inputs/foresee-exec.ts';
import { problemOfDirectory } from '../inputs/start-directory.ts';
import { accountOfApp, noCommandError, visitorFor } from './app-start.ts';
import type { Notes } from './check-notes.ts';
import { lookupProgram } from './debug.ts';
import { foreseeCommand } from './foresee-command.ts';
import type { Prepared } from './prepare.ts';

export function inspectApp(notes: Notes, prepared: Prepared, facts: ProcessFacts): void {
  inspectCommand(notes, prepared);
  inspectDirectory(notes, prepared, visitorFor(accountOfApp(prepared), facts));
}

function inspectCommand(notes: Notes, prepared: Prepared): void {
  if (prepared.argv.length === 0) {
    inspectNoCommand(notes);
    return;
  }

  const program = lookupProgram(prepared);
  switch (program.kind) {
    case 'found':
      notes.add(judgeProgram(program.file, prepared));
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

function judgeProgram(file: string, prepared: Prepared): Finding {
  const foreseen = foreseeCommand(file, prepared);
  return foreseen === undefined ? isFine('command', file) : fails('command', foreseen.error);
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
