// Carries a plan's steps out, in their order, and says of each whether it changed anything.
//
// Archives are read before the first step: one that is bad changes nothing. What only few plans have is loaded for them.
import type { TreeEntry } from '../core/directory-tree.ts';
import type { IstFileStep } from '../core/ist-document.ts';
import type { PlanStep } from '../core/plan.ts';
import type { SecretBytes } from '../core/secret.ts';
import type { SecretFileStep } from '../core/secret-files.ts';
import type { Warning } from '../core/warning.ts';
import { StartError } from '../errors.ts';
import { applyNsswitch } from './fix-nsswitch.ts';
import { writeFile, writeVolatileFile } from './write-file.ts';
import { writeHosts } from './write-hosts.ts';

/** At a reload the app runs: readers have their time, and nothing that fails ends it. */
export type Occasion = 'start' | 'reload';

export type StepResult = {
  readonly step: PlanStep;
  /** `failed`: what was there before is still there. */
  readonly change: 'written' | 'unchanged' | 'failed';
  readonly warning: Warning | undefined;
};

/** @throws {StartError} At the start: what did not work and must; the steps before it stay done. */
export async function applySteps(
  steps: readonly PlanStep[],
  occasion: Occasion,
): Promise<readonly StepResult[]> {
  const works: Work[] = [];
  for (const step of steps) {
    works.push({ step, occasion, tree: await openTree(step, occasion) });
  }

  const results: StepResult[] = [];
  for (const work of works) {
    results.push({ step: work.step, ...(await applyOne(work)) });
  }

  return results;
}

type Tree = readonly TreeEntry[] | StartError | undefined;

/** A step, and what was in its archive. */
type Work = { readonly step: PlanStep; readonly occasion: Occasion; readonly tree: Tree };

type Outcome = Omit<StepResult, 'step'>;

async function openTree(step: PlanStep, occasion: Occasion): Promise<Tree> {
  if (step.kind === 'write-env-file' && step.refusal !== undefined) {
    if (occasion === 'start') {
      throw step.refusal;
    }

    return step.refusal;
  }

  if (step.kind !== 'unpack-secret') {
    return undefined;
  }

  try {
    const { unpackArchive } = await import('./unpack-archive.ts');
    const { identifier, path, allowEmpty } = step;
    return unpackArchive(contentOf(step), { identifier, path, allowEmpty });
  } catch (error) {
    if (occasion === 'reload' && error instanceof StartError) {
      return error;
    }

    throw error;
  }
}

async function applyOne(work: Work): Promise<Outcome> {
  try {
    return await applyStep(work);
  } catch (error) {
    if (work.occasion === 'reload' && error instanceof StartError) {
      return { change: 'failed', warning: toWarning(error) };
    }

    throw error;
  }
}

async function applyStep({ step, occasion, tree }: Work): Promise<Outcome> {
  if (tree instanceof StartError) {
    throw tree;
  }

  switch (step.kind) {
    case 'nsswitch':
      return occasion === 'start'
        ? { change: 'unchanged', warning: applyNsswitch(step.path, step.decision) }
        : // The file of the image: who changes it while the app runs has a reason.
          unchanged;
    case 'write-hosts':
      return writeHosts(step.path, step.entries, { onError: step.onError });
    case 'write-secret': {
      const change = writeFile(step.path, contentOf(step).reveal(), step.owner);
      return { change, warning: undefined };
    }
    case 'unpack-secret': {
      const { replaceDirectory } = await import('./replace-directory.ts');
      const change = replaceDirectory(step.path, tree ?? [], step.owner);
      return { change, warning: undefined };
    }
    case 'write-certificates': {
      const [{ certificateTree }, { replaceDirectory }] = await Promise.all([
        import('../core/certificate-files.ts'),
        import('./replace-directory.ts'),
      ]);
      const change = replaceDirectory(step.path, certificateTree(step.certificates), step.owner);
      return { change, warning: undefined };
    }
    case 'write-env-file': {
      const { formatEnvFile } = await import('../core/env-file.ts');
      const bytes = new TextEncoder().encode(formatEnvFile(step.variables));
      return { change: writeVolatileFile(step.path, bytes, step.owner), warning: undefined };
    }
    case 'write-ist':
      return applyIst(step);
  }
}

/** Never an error: the app has the same map in its environment. */
function applyIst({ path, text, owner }: IstFileStep): Outcome {
  try {
    const change = writeVolatileFile(path, new TextEncoder().encode(text), owner);
    return { change, warning: undefined };
  } catch (error) {
    if (error instanceof StartError) {
      return { change: 'failed', warning: toWarning(error) };
    }

    throw error;
  }
}

const unchanged: Outcome = { change: 'unchanged', warning: undefined };

function contentOf({ content, identifier }: SecretFileStep): SecretBytes {
  if (content === undefined) {
    throw new RangeError(`the secret ${identifier} was not fetched`);
  }

  return content;
}

/** `E_FILE` becomes `W_FILE`. */
function toWarning({ code, message, remedy }: StartError): Warning {
  return { code: code.replace(/^E_/, 'W_'), message, where: remedy.where, fix: remedy.fix };
}
