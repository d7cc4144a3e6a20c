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

const systemFiles: AccountFiles = { passwdPath: '/etc/passwd', groupPath: '/etc/group' };

/**
 * @param spec - `NAME`, `UID`, `NAME:GROUP` or `UID:GID`, in any mixture of names and numbers.
 * @throws {StartError} E_USER: the user or group does not exist, or `spec` has another form.
 */
export function lookupUser(spec: string, files = systemFiles): Account {
  const [user, group, ...rest] = spec.split(':');

  if (user === undefined || user === '' || group === '' || rest.length > 0) {
    throw userError(spec, {
      rule: 'expected NAME, UID, NAME:GROUP or UID:GID',
      fix: 'Correct --user, WARP_INIT_USER or init.user.',
    });
  }

  const entry = findUser(user, files);

  if (group !== undefined) {
    const gid = findGroup(group, files);
    return { ...entry, gid, groups: [gid] };
  }

  return { ...entry, groups: [...new Set([entry.gid, ...memberships(entry.name, files)])] };
}

/** Whether we are that user already, and not root: then nothing has to be dropped, and nothing could be. */
export function isCurrentUser({ uid, gid }: Account): boolean {
  return uid !== 0 && process.getuid?.() === uid && process.getgid?.() === gid;
}

type User = Pick<Account, 'uid' | 'gid' | 'name' | 'home'>;

function findUser(user: string, { passwdPath }: AccountFiles): User {
  const { lines, errno } = readLines(passwdPath);
  const entries = lines.flatMap(parseUser);
  const uid = parseNumber(user);

  if (uid !== undefined) {
    return (
      entries.find((entry) => entry.uid === uid) ?? {
        uid: checkId(uid, user),
        gid: 0,
        name: undefined,
        home: '/',
      }
    );
  }

  const found = entries.find((entry) => entry.name === user);

  if (found === undefined) {
    const names = entries.map(({ name }) => name);
    throw unknownName({ kind: 'user', name: user, names, path: passwdPath, errno });
  }

  return found;
}

function findGroup(group: string, { groupPath }: AccountFiles): number {
  const gid = parseNumber(group);

  if (gid !== undefined) {
    return checkId(gid, group);
  }

  const { lines, errno } = readLines(groupPath);
  const entries = lines.flatMap(parseGroup);
  const found = entries.find((entry) => entry.name === group);

  if (found === undefined) {
    const names = entries.map(({ name }) => name);
    throw unknownName({ kind: 'group', name: group, names, path: groupPath, errno });
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

function checkId(id: number, text: string): number {
  if (id > largestId) {
    throw userError(text, {
      rule: `an id is at most ${largestId}`,
      fix: 'Correct --user, WARP_INIT_USER or init.user.',
    });
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

type UnknownName = {
  readonly kind: 'user' | 'group';
  readonly name: string;
  readonly names: readonly string[];
  readonly path: string;
  readonly errno: string | undefined;
};

function unknownName({ kind, name, names, path, errno }: UnknownName): StartError {
  const rule =
    errno === undefined ? `no such ${kind} in ${path}` : `${path} is not readable (${errno})`;
  const suggestion = nearest(name, names);
  const fix =
    suggestion === undefined
      ? `Add the ${kind} to the image, or give its number.`
      : `Write "${suggestion}" if that is meant, or add the ${kind} to the image.`;
  return userError(name, { rule, fix, where: path });
}

type Mistake = { readonly rule: string; readonly fix: string; readonly where?: string };

function userError(text: string, { rule, fix, where = '--user' }: Mistake): StartError {
  return new StartError('E_USER', `Cannot run the app as "${text}": ${rule}`, {
    exitCode: exitStatus.config,
    remedy: { where, fix },
  });
}
