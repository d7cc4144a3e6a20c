// Whether names from /etc/hosts resolve: what the `hosts:` line of nsswitch.conf(5) lets glibc do.
//
// The grammar is that of glibc's parser, each rule measured on 2.36: names are case-sensitive, statuses and actions are
// not; the colon may be missing; a second pair of brackets ends the line; one word that it cannot read, in the
// line of any database, and nothing resolves at all. Versions differ (a comment behind sources, two `hosts:`
// lines), so a file is right only where every reading of it is. Text is a string of bytes (latin1).
import { endsLookup, parseSources } from './nsswitch-sources.ts';

export type NsswitchFile = {
  /** Undefined where there is no file, or none that can be read. */
  readonly text: string | undefined;
  /** The C library that programs here are linked with, as far as the file system shows it. */
  readonly libc: 'glibc' | 'musl' | 'unknown';
};

export type NsswitchVerdict = {
  /** `default`: the file says nothing about hosts. `unused`: nobody reads it. Only `broken` is bad. */
  readonly verdict: 'ok' | 'broken' | 'default' | 'unused';
  /** One sentence without its full stop. */
  readonly reason: string;
  /** The line that decides, counted from 1. */
  readonly line?: number;
};

/** @param hostnames - What must resolve: one that ends with `.local` may be stopped where others are not. */
export function judgeNsswitch(
  { text, libc }: NsswitchFile,
  hostnames: readonly string[] = [],
): NsswitchVerdict {
  if (libc === 'musl') {
    return { verdict: 'unused', reason: 'musl reads /etc/hosts and never nsswitch.conf' };
  }

  const lines = (text ?? '').split('\n').flatMap((line, index) => parseLine(line, index) ?? []);
  const isLocal = hostnames.some((name) => name.endsWith('.local'));
  for (const line of lines) {
    const reason = faultOf(line, isLocal);
    if (reason !== undefined) {
      return { verdict: 'broken', reason, line: line.number };
    }
  }

  const hosts = lines.findLast(({ database }) => database === 'hosts');
  return hosts === undefined
    ? { verdict: 'default', reason: defaultReason(text) }
    : {
        verdict: 'ok',
        reason: '`files` is asked, and nothing before it ends the lookup',
        line: hosts.number,
      };
}

/** The text with `files` as the first source of every `hosts:` line that needs it. Every other byte stays. */
export function fixNsswitch(text: string): string {
  return text.split('\n').map(fixLine).join('\n');
}

type DatabaseLine = {
  readonly number: number;
  readonly database: string;
  /** Up to and with the white space before the sources. */
  readonly head: string;
  readonly spec: string;
};

/** Those that glibc reads; it skips the lines of all others (automount, sudoers, comments). */
const databases =
  'aliases ethers group group_compat gshadow hosts initgroups netgroup networks passwd passwd_compat protocols publickey rpc services shadow shadow_compat'.split(
    ' ',
  );

function parseLine(line: string, index: number): DatabaseLine | undefined {
  const [, head = '', database = '', spec = ''] =
    /^([ \t\v\f\r]*([^ \t\v\f\r:]+)(?:[ \t\v\f\r:]+|$))(.*)$/s.exec(line) ?? [];
  return databases.includes(database) ? { number: index + 1, database, head, spec } : undefined;
}

function fixLine(line: string, index: number): string {
  const parsed = parseLine(line, index);
  if (parsed?.database !== 'hosts' || hostsFault(parsed.spec, true) === undefined) {
    return line;
  }

  const { head, spec } = parsed;
  const isFirst = /^files(?:[ \t\v\f\r]+[^ \t\v\f\r[]|[ \t\v\f\r]*$)/.test(spec);
  const gap = /[ \t]$/.test(head) ? '' : ' ';
  // Brackets without a source before them would become those of `files`.
  const files = spec.startsWith('[') ? 'files [SUCCESS=return]' : 'files';
  return isFirst ? line : `${head}${gap}${files}${spec === '' ? '' : ' '}${spec}`;
}

function faultOf({ database, spec }: DatabaseLine, isLocal: boolean): string | undefined {
  if (database === 'hosts') {
    return hostsFault(spec, isLocal);
  }

  const parsed = parseSources(spec);
  return 'fault' in parsed ? unreadable(parsed.fault) : undefined;
}

/** Since 2.33 glibc takes `#` behind sources for one more source, before and by the manual it begins a comment. */
function hostsFault(spec: string, isLocal: boolean): string | undefined {
  const hash = spec.indexOf('#');
  return (
    sourcesFault(spec, isLocal) ??
    (hash === -1 ? undefined : sourcesFault(spec.slice(0, hash), isLocal))
  );
}

function sourcesFault(spec: string, isLocal: boolean): string | undefined {
  const parsed = parseSources(spec);
  if ('fault' in parsed) {
    return unreadable(parsed.fault);
  }

  for (const [index, source] of parsed.sources.entries()) {
    // What `files` has found is lost where the lookup goes on: getaddrinfo then takes the next source's answer.
    if (source.name === 'files') {
      const { success } = source.actions;
      const isLast = index === parsed.sources.length - 1;
      return success === 'return' || (success === 'continue' && isLast)
        ? undefined
        : `\`${source.written}\` drops what it has found`;
    }

    if (endsLookup(source, isLocal)) {
      return `\`${source.written}\` can end the lookup before \`files\` is asked`;
    }
  }

  return '`files` is not among its sources';
}

function unreadable(word: string): string {
  return `glibc cannot read \`${word}\`, and then resolves nothing`;
}

function defaultReason(text: string | undefined): string {
  const missing = text === undefined ? 'there is no such file' : 'it has no `hosts:` line';
  return `${missing}: glibc then asks \`files\` and \`dns\` (measured on 2.36; before, some asked \`dns\` first), musl never reads it`;
}
