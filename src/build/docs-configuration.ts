// docs/configuration.md: every key of `warp.config.js` with its meaning, its values and its default.
import { type OptionName, optionNames, runOptions, variableOf } from '../core/run-options.ts';
import type { Key, Shape } from './docs-shape.ts';

export function formatConfiguration(shape: Shape): string {
  return `${introduction}\n${sections('', shape).join('\n')}\n${ending}`;
}

const introduction = `# Configuration: every key

<!-- Written by \`npm run docs\` from the schema that init checks a config with (src/core/config-schema.ts) and the comments
of src/core/warp-config.ts. Correct it there. -->

\`warp.config.js\`, \`.cjs\` or \`.mjs\` in the working directory is read if it is there; \`--config FILE\` (\`WARP_INIT_CONFIG\`)
names another file. It is CommonJS or an ES module and exports an object, or a function that returns one, also
asynchronously; it has 5 s for that. An option on the command line wins over its variable, the variable over the key.

Under \`init\`, and in entries of \`ist\`, a key that is not here is an error; elsewhere keys that init does not read are
those of Warp and are ignored. All errors are reported at once, each with its path, what was expected and what came.

An editor checks types through \`/** @type {import('warp-init').WarpConfig} */\`. A config that is JSON can be checked through
the package's JSON schema. This is then all of \`warp.config.js\`:

\`\`\`js
module.exports = require('./warp.json');
\`\`\`

\`\`\`json
{
  "$schema": "./node_modules/warp-init/dist/warp.config.schema.json",
  "variables": { "LOG_LEVEL": "info" },
  "init": { "user": "node", "killDelay": "10s" }
}
\`\`\`
`;

const ending = `## Durations

A number and its unit: \`500ms\`, \`10s\`, \`2m\`, \`1.5s\`; at most 24 days.

## Signals

A name, with or without \`SIG\`, in any case, or a number: \`SIGTERM\`, \`TERM\`, \`term\`, \`15\`, \`SIGRTMIN+3\`.

## Options that have no key

\`--config FILE\` (\`WARP_INIT_CONFIG\`) names the config. \`WARP_INIT_NODE\` names the Node that runs the brain, \`WARP_INIT_PLAIN=1\`
is \`--plain\`: both are read by PID 1 before there is a config.
`;

/** Of an object and of those in it, in the order in which they are met. */
function sections(path: string, shape: Shape): string[] {
  const object = objectIn(shape);
  if (object === undefined) {
    return [];
  }

  return [
    section(path, object.keys),
    ...object.keys.flatMap((key) => sections(join(path, key), key.shape)),
  ];
}

type ObjectShape = Shape & { readonly kind: 'object' };

/** What a key leads to: an object, or a list of such. One that is only one of several forms is described in its row. */
function objectIn(shape: Shape): ObjectShape | undefined {
  if (shape.kind === 'list') {
    return objectIn(shape.item);
  }

  const forms = shape.kind === 'either' ? shape.options.map(objectIn) : [];
  return shape.kind === 'object' ? shape : forms.includes(undefined) ? undefined : forms[0];
}

function section(path: string, keys: readonly Key[]): string {
  const isOfInit = path === 'init';
  const heads = ['key', 'value', 'default', ...(isOfInit ? ['command line'] : []), 'meaning'];
  const inOrder = keys.toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired));
  const rows = groupAlike(inOrder).map((group) => row(path, group, isOfInit));
  return [
    path === '' ? '## The config\n' : `## \`${path}\`\n`,
    `| ${heads.join(' | ')} |`,
    `| ${heads.map(() => '---').join(' | ')} |`,
    ...rows,
    '',
  ].join('\n');
}

type Group = readonly [Key, ...Key[]];

/** Neighbours of which the same is to be said share a row, as the limits do. */
function groupAlike(keys: readonly Key[]): Group[] {
  const groups: Group[] = [];
  for (const key of keys) {
    const last = groups.at(-1);
    if (last !== undefined && isAlike(last[0], key)) {
      groups.splice(-1, 1, [...last, key]);
    } else {
      groups.push([key]);
    }
  }

  return groups;
}

function isAlike(one: Key, other: Key): boolean {
  return (
    one.doc.description === other.doc.description &&
    one.doc.default === other.doc.default &&
    JSON.stringify(one.shape) === JSON.stringify(other.shape)
  );
}

function row(path: string, group: Group, isOfInit: boolean): string {
  const [key] = group;
  const { doc, shape, isRequired } = key;
  const cells = [
    group.map(({ name }) => `\`${name}\``).join(', '),
    objectIn(shape) === undefined ? describeValue(shape) : describeObject(join(path, key), shape),
    isRequired ? 'required' : describeDefault(doc.default),
    ...(isOfInit ? [describeOption(key.name)] : []),
    doc.description,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

function describeValue(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
      return shape.pattern === undefined ? shape.expected : '[duration](#durations)';
    case 'flag':
      return '`true`, `false`';
    case 'number':
      return shape.expected;
    case 'words':
      return shape.words.map((word) => `\`"${word}"\``).join(', ');
    case 'literal':
      return `\`${JSON.stringify(shape.value)}\``;
    case 'list':
      return `a list of ${describeValue(shape.item)}`;
    case 'record':
      return `an object; its values: ${describeValue(shape.value)}`;
    case 'object':
      return `\`{${shape.keys.map(({ name }) => name).join(', ')}}\``;
    case 'either':
      return shape.expected === '' ? describeForms(shape.options) : shape.expected;
  }
}

function describeForms(options: readonly Shape[]): string {
  const list = options.find((option) => option.kind === 'list');
  const others = options.filter((option) => option !== list).map((option) => describeValue(option));
  // One may be named in the words of another: "unlimited" or {soft, hard}.
  const told = others.filter(
    (words) => !others.some((it) => it !== words && it.includes(words.replaceAll('`', ''))),
  );
  return [...told, ...(list === undefined ? [] : ['a list of such'])].join('; or ');
}

function describeObject(path: string, shape: Shape): string {
  const link = `[\`${path}\`](#${path.replaceAll('.', '').toLowerCase()})`;
  return shape.kind === 'object' ? `see ${link}` : `see ${link}; or a list of such`;
}

function describeDefault(text: string | undefined): string {
  return text === undefined ? '' : text.replaceAll(/"[^"]*"|\b(?:true|false)\b/g, '`$&`');
}

function describeOption(key: string): string {
  const name = optionNames().find((option) => runOptions[option].init === key);
  return name === undefined ? '' : `\`--${name}${placeholderOf(name)}\` \`${variableOf(name)}\``;
}

function placeholderOf(name: OptionName): string {
  const { kind, placeholder } = runOptions[name];
  return kind === 'flag' ? '' : ` ${placeholder}`;
}

function join(path: string, { name }: Key): string {
  return path === '' ? name : `${path}.${name}`;
}
