// Parts of packages that the bundle does without, and what stands in for them.
//
// Each is code that no call of ours reaches. Tree shaking cannot know that: it depends on options that we do not pass.
import { join, relative, sep } from 'node:path';

import type { Plugin } from 'esbuild';

/** By their path behind `node_modules/`. */
const standIns: Readonly<Record<string, string>> = {
  // pino writes to a destination of ours (log.ts): to no file, no worker thread and no second stream; it redacts nothing.
  'sonic-boom/index.js': 'never.cjs',
  'pino/lib/transport.js': 'never.cjs',
  'pino/lib/multistream.js': 'never.cjs',
  'pino/lib/redaction.js': 'never.cjs',
  'pino-std-serializers/index.js': 'no-serializers.cjs',
  'on-exit-leak-free/index.js': 'never.cjs',
  'safe-stable-stringify/index.js': 'no-cycles.cjs',

  // A reload command is one call of execa (reload/run-command.ts).
  'execa/index.js': 'execa.mjs',
  'execa/lib/methods/main-sync.js': 'execa-parts.mjs',
  'execa/lib/methods/template.js': 'execa-parts.mjs',
  'execa/lib/methods/node.js': 'execa-parts.mjs',
  'execa/lib/arguments/command.js': 'execa-parts.mjs',
  'execa/lib/return/message.js': 'execa-parts.mjs',
  'execa/lib/transform/normalize.js': 'execa-parts.mjs',
  'execa/lib/transform/generator.js': 'execa-parts.mjs',
  'execa/lib/io/iterate.js': 'execa-parts.mjs',
  'execa/lib/convert/add.js': 'execa-parts.mjs',
  'execa/lib/ipc/methods.js': 'execa-parts.mjs',
  'execa/lib/ipc/ipc-input.js': 'execa-parts.mjs',
  'execa/lib/ipc/buffer-messages.js': 'execa-parts.mjs',
  'execa/lib/terminate/graceful.js': 'execa-parts.mjs',
  'execa/lib/stdio/duplicate.js': 'execa-parts.mjs',
  'execa/lib/pipe/setup.js': 'execa-parts.mjs',
  'execa/lib/verbose/complete.js': 'execa-parts.mjs',
  'execa/lib/verbose/output.js': 'execa-parts.mjs',
  'execa/lib/verbose/values.js': 'execa-parts.mjs',
  'get-stream/source/index.js': 'execa-parts.mjs',
  '@sindresorhus/merge-streams/index.js': 'execa-parts.mjs',
  'signal-exit/dist/mjs/index.js': 'execa-parts.mjs',
  'npm-run-path/index.js': 'execa-parts.mjs',
  'cross-spawn/index.js': 'posix-spawn.cjs',
  'human-signals/build/src/main.js': 'signal-names.mjs',

  // Neither our client nor our server compresses, and both are used through their own events.
  'ws/lib/permessage-deflate.js': 'no-deflate.cjs',
  'ws/lib/event-target.js': 'no-event-target.cjs',
  'ws/lib/extension.js': 'never.cjs',
  'ws/lib/stream.js': 'never.cjs',

  'yargs/lib/platform-shims/esm.mjs': 'yargs-shim.mjs',
  'yargs/build/lib/completion.js': 'no-completion.mjs',
  'y18n/index.mjs': 'english.mjs',
  'cliui/index.mjs': 'plain-help.mjs',
  'string-width/index.js': 'plain-width.mjs',

  // It gets a tar that was unzipped before (apply/unpack-archive.ts).
  'minizlib/dist/esm/index.js': 'no-unzip.mjs',
};

/** @throws {Error} at the end of a build that has not met each of them: a package has changed. */
export function standInPlugin(root: string): Plugin {
  const unmet = new Set(Object.keys(standIns));
  return {
    name: 'stand-ins',
    setup: (build) => {
      build.onResolve({ filter: /./, namespace: 'file' }, async ({ path, ...request }) => {
        if (request.pluginData === isAsked || request.kind === 'entry-point') {
          return undefined;
        }

        const { importer, resolveDir, kind } = request;
        const found = await build.resolve(path, {
          importer,
          resolveDir,
          kind,
          pluginData: isAsked,
        });
        const name = nameInPackages(relative(root, found.path));
        const standIn = standIns[name];
        if (standIn === undefined) {
          return undefined; // As if we had not asked: an import in a `try` may fail.
        }

        unmet.delete(name);
        return {
          path: join(root, 'src', 'build', 'stand-ins', standIn),
          sideEffects: false,
        };
      });
      build.onEnd(() => {
        if (unmet.size > 0) {
          throw new Error(`No package has these files any more: ${[...unmet].join(', ')}`);
        }
      });
    },
  };
}

/** Says that it is the plugin itself that asks. */
const isAsked = Symbol('asked by stand-ins');

function nameInPackages(path: string): string {
  return path.split(`node_modules${sep}`).at(-1) ?? path;
}
