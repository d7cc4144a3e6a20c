// Paths of `init` that init itself writes: no two of them may be in each other's way.
//
// Raw values are looked at, since other problems may be there too, and all are to be told at once.
import { describeValue } from './config-problems.ts';
import type { Problem } from './config-problems.ts';
import { normalPath } from './config-words.ts';

/** Where the state directory is unless `init.stateDirectory` says otherwise. */
const defaultStateDirectory = '/run/warp-init';

type Target = {
  /** The key in the config, or what it is. */
  readonly label: string;
  readonly path: string;
};

/** @param config - What `warp.config.js` exports. */
export function pathConflicts(config: unknown): Problem[] {
  const init = valueOf(config, 'init');
  const { ours, written } = targetsOf(init);

  return written.flatMap((one, index) => {
    const rival = [...ours, ...written.slice(0, index)].find((other) => isInTheWay(one, other));
    return rival === undefined
      ? []
      : [
          {
            path: one.label,
            expected: `a path that is not that of ${rival.label}, nor above or below it (${rival.path})`,
            received: describeValue(one.path),
          },
        ];
  });
}

/** `ours`: what init writes without being asked to; the operator's path is then the one to change. */
function targetsOf(init: unknown): { readonly ours: Target[]; readonly written: Target[] } {
  const given = valueOf(init, 'stateDirectory');
  const directory = typeof given === 'string' ? normalPath(given) : defaultStateDirectory;
  const envFile = valueOf(init, 'envFile');
  const names = ['ist.json', 'init.json', 'control.sock', ...(envFile === true ? ['env'] : [])];
  const files = valueOf(valueOf(init, 'secrets'), 'files');
  const isList = Array.isArray(files);
  const list: unknown[] = isList ? files : [files];

  return {
    ours: names.map((name) => ({ label: `init's own ${name}`, path: `${directory}/${name}` })),
    written: [
      ...target('init.envFile', envFile),
      ...target('init.certificates.directory', valueOf(valueOf(init, 'certificates'), 'directory')),
      ...list.flatMap((file, index) =>
        target(`init.secrets.files${isList ? `[${index}]` : ''}.path`, valueOf(file, 'path')),
      ),
    ],
  };
}

function target(label: string, path: unknown): Target[] {
  return typeof path === 'string' && path.startsWith('/')
    ? [{ label, path: normalPath(path) }]
    : [];
}

function isInTheWay(one: Target, other: Target): boolean {
  return one.path === other.path || isBelow(one.path, other.path) || isBelow(other.path, one.path);
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

function valueOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
