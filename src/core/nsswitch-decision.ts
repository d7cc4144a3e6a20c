// What to do about nsswitch.conf: the verdict and `init.nsswitch` give one decision.
import type { IstMap } from './ist.ts';
import { fixNsswitch, judgeNsswitch, type NsswitchFile } from './nsswitch.ts';
import type { Settings } from './settings.ts';
import type { Warning } from './warning.ts';

export type NsswitchDecision =
  | { readonly kind: 'leave' }
  | { readonly kind: 'warn' | 'fail'; readonly warning: Warning }
  /** The warning is for where the file cannot be written. */
  | { readonly kind: 'fix'; readonly warning: Warning };

/** @param file - With its path, for the messages. */
export function decideNsswitch(
  mode: Settings['nsswitch'],
  file: NsswitchFile & { readonly path: string },
  map: IstMap,
): NsswitchDecision {
  const hostnames = namesOf(map, 'hostnames');
  const verdict = judgeNsswitch(file, hostnames);
  if (mode === 'ignore' || hostnames.length === 0 || verdict.verdict !== 'broken') {
    return { kind: 'leave' };
  }

  const where = verdict.line === undefined ? file.path : `${file.path}:${verdict.line}`;
  const warning: Warning = {
    code: 'W_NSSWITCH',
    message: `IST hostnames such as ${hostnames[0]} may not resolve: line ${verdict.line} of ${file.path}: ${verdict.reason}`,
    where,
    fix: `Put \`files\` first on the hosts line, set init.nsswitch to "fix", or use ${describe(namesOf(map, 'variables'))}.`,
  };
  if (mode !== 'fix') {
    return { kind: mode, warning };
  }

  const fixed = judgeNsswitch({ ...file, text: fixNsswitch(file.text ?? '') }, hostnames);
  return fixed.verdict === 'broken'
    ? { kind: 'warn', warning: { ...warning, fix: `Correct ${where} by hand: ${fixed.reason}.` } }
    : { kind: 'fix', warning };
}

function namesOf(map: IstMap, kind: 'hostnames' | 'variables'): string[] {
  return map.services.flatMap((service) => service[kind].map(({ name }) => name));
}

const shownVariables = 5;

function describe(variables: readonly string[]): string {
  const shown = variables.slice(0, shownVariables).join(', ');
  const rest = variables.length - shownVariables;
  return variables.length === 0
    ? 'addresses instead'
    : `the variables instead: ${shown}${rest > 0 ? ` and ${rest} more` : ''}`;
}
