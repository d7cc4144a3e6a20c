// The places of the files that a start would write: state directory, secret files, certificates, env file.
import { fileError } from '../apply/file-error.ts';
import type { ProcessFacts } from '../core/check-process.ts';
import { fails, isFine, warns } from '../core/check-report.ts';
import type { Ownership } from '../core/ownership.ts';
import type { PlanStep } from '../core/plan.ts';
import { StartError } from '../errors.ts';
import { foreseeWrite } from '../inputs/foresee-write.ts';
import type { Notes } from './check-notes.ts';
import type { StateSteps } from './state-steps.ts';

export type FilesInput = {
  readonly steps: readonly PlanStep[];
  readonly stateSteps: StateSteps;
  readonly facts: ProcessFacts;
};

export function inspectFiles(notes: Notes, { steps, stateSteps, facts }: FilesInput): void {
  const { state, warnings } = stateSteps;
  if (state.kind === 'usable') {
    notes.add(isFine('state-directory', state.path));
  }

  for (const warning of warnings) {
    notes.add(warns(warning.code === 'W_STATE_DIRECTORY' ? 'state-directory' : 'files', warning));
  }

  for (const step of steps) {
    switch (step.kind) {
      case 'write-secret':
        inspectFile(notes, { ...step, kind: 'file' }, facts);
        break;
      case 'unpack-secret':
      case 'write-certificates':
        inspectFile(notes, { ...step, kind: 'directory' }, facts);
        break;
      case 'write-env-file':
        if (step.refusal === undefined) {
          inspectFile(notes, { ...step, kind: 'file' }, facts);
        } else {
          notes.add(fails('files', step.refusal, step.path));
        }

        break;
      case 'nsswitch':
      case 'write-hosts':
      case 'write-ist':
        break;
    }
  }
}

type AppFile = {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly owner: Ownership;
};

function inspectFile(notes: Notes, { path, kind, owner }: AppFile, facts: ProcessFacts): void {
  const problem = foreseeWrite({ path, kind, owner }, facts);
  const error = problem === undefined ? undefined : fileError(path, problem, owner);
  const { mode, uid, gid } = owner;
  notes.add(
    error instanceof StartError
      ? fails('files', error, path)
      : isFine('files', `mode 0${mode.toString(8)}, uid ${uid}, gid ${gid}`, path),
  );
}
