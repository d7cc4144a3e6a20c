// The manual page, from what `--help` prints: the same options, commands and texts, in man(7)'s language.
import type { Argv } from 'yargs';

import { usage } from '../cli-help.ts';
import { createParser } from '../cli-parser.ts';

/** What `warp-init [COMMAND] --help` prints, each option in one line. */
export async function readHelp(command: readonly string[]): Promise<string> {
  const words = [...command, '--help'];
  const parser: Argv = createParser(words, (message, error) => error ?? new Error(message));
  let help = '';
  await parser.wrap(null).parseAsync(words, {}, (_error: unknown, _argv: unknown, text: string) => {
    help = text;
  });
  return help;
}

/** The commands that the help lists. */
export function commandsIn(help: string): string[] {
  return blocksOf(help)
    .filter(({ title }) => title === 'Commands')
    .flatMap(({ rows }) => rows.flatMap(([term]) => /^warp-init (\w+)/.exec(term)?.[1] ?? []));
}

export async function formatManual(version: string): Promise<string> {
  const help = await readHelp([]);
  const [synopsis = '', ...description] = usage.split('\n');
  const general = optionsIn(help);
  const commands = commandsIn(help).filter((name) => name !== 'run');
  const pages = await Promise.all(
    commands.map(async (name) => [name, await readHelp([name])] as const),
  );
  return [
    `.TH WARP\\-INIT 1 "" "warp\\-init ${escape(version)}" "User Commands"`,
    '.SH NAME',
    "warp\\-init \\- a container's first process",
    '.SH SYNOPSIS',
    ...bold(synopsis),
    ...commands.flatMap((name) => ['.br', ...bold(`warp-init ${name}`)]),
    '.SH DESCRIPTION',
    ...prose(description),
    ...blocksOf(help.slice(usage.length)).flatMap(formatBlock),
    '.SH COMMANDS IN DETAIL',
    ...pages.flatMap(([name, page]) => [`.SS ${name}`, ...formatCommand(page, general)]),
    '.SH FILES',
    ...files.flatMap(formatRow),
    '.SH SEE ALSO',
    'In docs/ of the sources configuration.md has every key of the config, troubleshooting.md every error code.',
    '.br',
    ...bold('tini(1), dumb-init(1), docker-run(1), podman-run(1), hosts(5), nsswitch.conf(5)'),
    '',
  ].join('\n');
}

const files: readonly Row[] = [
  ['warp.config.js', 'The config, in the working directory; or .cjs, .mjs.'],
  ['/var/run/cycle/api/api.sock', "The platform's internal API."],
  ['/run/warp-init', 'ist.json, and the control socket that status, reload and health ask.'],
];

type Row = readonly [term: string, meaning: string];

type Block = {
  /** What stands before a colon, where the first line has one and rows follow. */
  readonly title: string | undefined;
  readonly lines: readonly string[];
  readonly rows: readonly Row[];
  /** Rows that have one column: programs. */
  readonly verbatim: readonly string[];
};

function blocksOf(help: string): Block[] {
  return help
    .split(/\n{2,}/)
    .map((block) => block.split('\n').filter((line) => line.trim() !== ''))
    .filter((lines) => lines.length > 0)
    .map(blockOf);
}

function blockOf(lines: readonly string[]): Block {
  const begin = lines.findIndex((line) => line.startsWith('  '));
  const prosaic = begin === -1 ? lines : lines.slice(0, begin);
  const indented = begin === -1 ? [] : lines.slice(begin);
  const [, title, rest] =
    /^([A-Z][^:.(]*?)(?: \([^)]*\))?:(?: (.*))?$/.exec(prosaic[0] ?? '') ?? [];
  const rows = rowsOf(indented);
  return {
    title: indented.length === 0 ? undefined : title,
    lines:
      indented.length === 0 || title === undefined ? prosaic : [rest ?? '', ...prosaic.slice(1)],
    rows: rows ?? [],
    verbatim: rows === undefined ? indented : [],
  };
}

/** Two columns, with blanks between them. A line that only goes on belongs to the row above. */
function rowsOf(lines: readonly string[]): Row[] | undefined {
  const rows: Row[] = [];
  for (const line of lines) {
    const [term = '', ...meaning] = line.trim().split(/ {2,}/);
    const last = rows.at(-1);
    if (meaning.length > 0) {
      rows.push([term, meaning.join(' ')]);
    } else if (last !== undefined && line.startsWith(' '.repeat(7))) {
      rows.splice(-1, 1, [last[0], `${last[1]} ${term}`]);
    } else if (last !== undefined && term.endsWith(',')) {
      rows.push([term, '']);
    } else {
      // The second line of a term, whose meaning stands beside the first.
      if (last === undefined || !last[0].endsWith(',')) {
        return undefined;
      }

      rows.splice(-1, 1, [`${last[0]} ${term}`, last[1]]);
    }
  }

  return rows;
}

function formatBlock({ title, lines, rows, verbatim }: Block): string[] {
  return [
    ...(title === undefined ? ['.PP'] : [`.SH ${escape(title.toUpperCase())}`]),
    ...prose(lines),
    ...rows.flatMap(formatRow),
    ...code(verbatim),
  ];
}

/** The usage line, what the command is for, its own options, its example. */
function formatCommand(help: string, general: readonly Row[]): string[] {
  const [synopsis = '', ...rest] = help.split('\n');
  const terms = optionsIn(help).map(([term]) => term);
  const takesAll = general.every(([term]) => terms.includes(term));
  const isOwn = ([term]: Row) =>
    !/--(?:help|version)$/.test(term) && !(takesAll && general.some(([it]) => it === term));
  return [
    ...bold(synopsis),
    ...blocksOf(rest.join('\n')).flatMap((block) => [
      ...(block.title === undefined || block.title === 'Options' ? [] : ['.PP', `${block.title}:`]),
      ...(block.title === undefined ? ['.PP'] : []),
      ...prose(block.lines),
      ...block.rows.filter(isOwn).flatMap(formatRow),
      ...code(block.verbatim),
    ]),
    ...(takesAll ? ['.PP', 'And all options of run.'] : []),
  ];
}

function optionsIn(help: string): readonly Row[] {
  return blocksOf(help).find(({ title }) => title === 'Options')?.rows ?? [];
}

function formatRow([term, meaning]: Row): string[] {
  const [, value, rest = ''] = /^([A-Z][A-Z:[\]]*): (.*)$/.exec(meaning) ?? [];
  const text = (value === undefined ? meaning : rest).replace(
    / \[(?:string|boolean)\](?= \[|$)/,
    '',
  );
  return ['.TP', ...bold(value === undefined ? term : `${term} ${value}`), ...prose([text])];
}

function code(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['.PP', '.nf', ...prose(lines), '.fi'];
}

function bold(text: string): string[] {
  return [`.B ${escape(text)}`];
}

function prose(lines: readonly string[]): string[] {
  return lines.filter((line) => line !== '').map((line) => escape(line));
}

function escape(text: string): string {
  return text.replaceAll('\\', String.raw`\e`).replaceAll('-', String.raw`\-`);
}
