// Whose a file is that init writes for the app: the app's, unless the config names somebody.
import type { Ownership } from '../core/ownership.ts';
import type { FileOwner } from '../core/settings-files.ts';
import { type AccountLookup, findGroup, findUser, systemFiles } from './accounts.ts';

export type OwnerQuestion = {
  /** Who the app runs as; undefined: as init. */
  readonly app: { readonly uid: number; readonly gid: number } | undefined;
  /** The key in the config. */
  readonly where: string;
};

/**
 * A user without a group has its own group of passwd(5); a group alone leaves the app's user.
 *
 * @throws {StartError} E_USER: there is none of that name.
 */
export function lookupOwner(
  { mode, user, group }: FileOwner,
  { app, where }: OwnerQuestion,
  files = systemFiles,
): Ownership {
  const use = { task: 'give files to', where, fix: `Correct \`user\` and \`group\` of ${where}.` };
  const lookup: AccountLookup = { ...files, use };
  const { uid, gid } = user === undefined ? (app ?? ownIds()) : findUser(user, lookup);
  return { mode, uid, gid: group === undefined ? gid : findGroup(group, lookup) };
}

function ownIds(): { readonly uid: number; readonly gid: number } {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}
