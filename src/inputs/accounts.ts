// Users and groups from passwd(5) and group(5), read here: a static image has no getent and no libc to ask.
//
// The rules are those of Docker's USER, so that both name the same user: a number is an id, never a name; a number without
// an entry is group 0 with HOME=/; with a group given, that group is the only one. Broken lines and NIS lines are skipped.
import { readFileSync } from 'node:fs';
import { nearest } from '../core/suggest.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';

export type Account = {
  readonly uid: number;
  readonly gid: number;
  /** For setgroups(2): `gid` first, then the others in the order of the file. */
  readonly groups: readonly number[];
  /** Undefined for a number without an entry in passwd. */
  readonly name: string | undefined;
  readonly home: string;
};

export type AccountFiles = { readonly passwdPath: string; readonly groupPath: string };

/** Who asks, for the error. */
type AccountUse = {
  /** As in «Cannot run the app as "node"». */
  readonly task: string;
  readonly where: string;
  /** What to do about an id that is none. */
  readonly fix: string;
};

export type AccountLookup = AccountFiles & { readonly use: AccountUse };

export const systemFiles: AccountFiles = { passwdPath: '/etc/passwd', groupPath: '/etc/group' };

const appUser = { task: 'run the app as' };

/**
 * @param spec - `NAME`, `UID`, `NAME:GROUP` or `UID:GID`, in any mixture of names and numbers.
 * @param where - Where it is written: `--user`, `WARP_INIT_USER` or `init.user`.
 * @throws {StartError} E_USER: the user or group does not exist, or `spec` has another form.
 */
export function lookupUser(spec: string, files = systemFiles, where = '--user'): Account {
  const [user, group, ...rest] = spec.split(':');
  const use = { ...appUser, where, fix: `Correct ${where}.` };
  const lookup = { ...files, use };

  if (user === undefined || user === '' || group === '' || rest.length > 0) {
    throw userError(spec, { ...use, rule: 'expected NAME, UID, NAME:GROUP or UID:GID' });
  }

  const entry = findUser(user, lookup);

  if (group !== undefined) {
    const gid = findGroup(group, lookup);
    return { ...entry, gid, groups: [gid] };
  }

  return { ...entry, groups: [...new Set([entry.gid, ...memberships(entry.name, files)])] };
}

/** Whether we are that user already, and not root: then nothing has to be dropped, and nothing could be. */
export function isCurrentUser({ uid, gid }: Account): boolean {
  return uid !== 0 && process.getuid?.() === uid && process.getgid?.() === gid;
}

type User = Pick<Account, 'uid' | 'gid' | 'name' | 'home'>;

/** @throws {StartError} E_USER, in the words of `use`. */
export function findUser(user: string, { passwdPath, use }: AccountLookup): User {
  const { lines, errno } = readLines(passwdPath);
  const entries = lines.flatMap(parseUser);
  const uid = parseNumber(user);

  if (uid !== undefined) {
    const found = entries.find((entry) => entry.uid === uid);

    if (found === undefined) {
      refuseBrokenLine(user, lines, { path: passwdPath, use, field: 2, form: passwdForm });
    }

    return found ?? { uid: checkId(uid, user, use), gid: 0, name: undefined, home: '/' };
  }

  const found = entries.find((entry) => entry.name === user);

  if (found === undefined) {
    refuseBrokenLine(user, lines, { path: passwdPath, use, field: 0, form: passwdForm });
    const names = entries.map(({ name }) => name);
    throw unknownName(use, { kind: 'user', name: user, names, path: passwdPath, errno });
  }

  return found;
}

/** @throws {StartError} E_USER, in the words of `use`. */
export function findGroup(group: string, { groupPath, use }: AccountLookup): number {
  const gid = parseNumber(group);

  if (gid !== undefined) {
    return checkId(gid, group, use);
  }

  const { lines, errno } = readLines(groupPath);
  const entries = lines.flatMap(parseGroup);
  const found = entries.find((entry) => entry.name === group);

  if (found === undefined) {
    refuseBrokenLine(group, lines, { path: groupPath, use, field: 0, form: groupForm });
    const names = entries.map(({ name }) => name);
    throw unknownName(use, { kind: 'group', name: group, names, path: groupPath, errno });
  }

  return found.gid;
}

function memberships(name: string | undefined, { groupPath }: AccountFiles): readonly number[] {
  return name === undefined
    ? []
    : readLines(groupPath)
        .lines.flatMap(parseGroup)
        .filter(({ members }) => members.includes(name))
        .map(({ gid }) => gid);
}

/** `name:password:uid:gid:comment:home:shell`; the last three may be missing, as for glibc. */
function parseUser(line: string): readonly (User & { readonly name: string })[] {
  const [name = '', , uidText = '', gidText = '', , home = ''] = line.split(':');
  const uid = parseId(uidText);
  const gid = parseId(gidText);

  return isName(name) && uid !== undefined && gid !== undefined
    ? [{ name, uid, gid, home: home === '' ? '/' : home }]
    : [];
}

type Group = { readonly name: string; readonly gid: number; readonly members: readonly string[] };

/** `name:password:gid:member,member` */
function parseGroup(line: string): readonly Group[] {
  const [name = '', , gidText = '', members = ''] = line.split(':');
  const gid = parseId(gidText);

  return isName(name) && gid !== undefined
    ? [{ name, gid, members: members.split(',').map((member) => member.trim()) }]
    : [];
}

/** Not a comment, nor `+` or `-` of NIS. */
function isName(text: string): boolean {
  return /^[^#+-]/.test(text);
}

function parseId(text: string): number | undefined {
  const id = parseNumber(text);
  return id !== undefined && id <= largestId ? id : undefined;
}

function parseNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** 4294967295 is (uid_t) -1, which setresuid(2) takes for «leave it as it is». */
const largestId = 4_294_967_294;

function checkId(id: number, text: string, use: AccountUse): number {
  if (id > largestId) {
    throw userError(text, { ...use, rule: `an id is at most ${largestId}` });
  }

  return id;
}

/** A missing file has no lines: a scratch image has neither, and numbers need none. */
function readLines(path: string): {
  readonly lines: readonly string[];
  readonly errno: string | undefined;
} {
  try {
    return { lines: readFileSync(path, 'utf8').split('\n'), errno: undefined };
  } catch (error) {
    return { lines: [], errno: errnoOf(error) ?? 'unknown error' };
  }
}

const passwdForm = 'name:password:uid:gid:comment:home:shell';
const groupForm = 'name:password:gid:members';

type LineSearch = {
  readonly path: string;
  readonly use: AccountUse;
  /** Which field says who it is about. */
  readonly field: 0 | 2;
  readonly form: string;
};

/** A line that is there but has no right ids is not «no such user»; its text may hold a hash, and is not shown. */
function refuseBrokenLine(wanted: string, lines: readonly string[], search: LineSearch): void {
  const { path, use, field, form } = search;
  const index = lines.findIndex((line) => {
    const fields = line.split(':');
    return isName(fields[0] ?? '') && fields[field] === wanted;
  });

  if (index >= 0) {
    throw userError(wanted, {
      ...use,
      rule: `line ${index + 1} of ${path} is broken: expected ${form}, with ids from 0 to ${largestId}`,
      where: `${path}:${index + 1}`,
      fix: 'Correct that line in the image.',
    });
  }
}

type UnknownName = {
  readonly kind: 'user' | 'group';
  readonly name: string;
  readonly names: readonly string[];
  readonly path: string;
  readonly errno: string | undefined;
};

function unknownName(
  { task }: AccountUse,
  { kind, name, names, path, errno }: UnknownName,
): StartError {
  const rule =
    errno === undefined ? `no such ${kind} in ${path}` : `${path} is not readable (${errno})`;
  const suggestion = nearest(name, names);
  const fix =
    suggestion === undefined
      ? `Add the ${kind} to the image, or give its number.`
      : `Write "${suggestion}" if that is meant, or add the ${kind} to the image.`;
  return userError(name, { task, rule, fix, where: path });
}

type Mistake = AccountUse & { readonly rule: string };

function userError(text: string, { task, rule, fix, where }: Mistake): StartError {
  return new StartError('E_USER', `Cannot ${task} "${text}": ${rule}`, {
    exitCode: exitStatus.config,
    remedy: { where, fix },
  });
}
