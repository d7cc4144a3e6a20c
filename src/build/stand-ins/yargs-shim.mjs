// In place of yargs's own view of Node: it asks for the current directory while it is loaded, and that may be gone.
// What is not here belongs to options that we do not use: completion, and settings in a package.json.
import { notStrictEqual, strictEqual } from 'node:assert';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { inspect } from 'node:util';
import cliui from 'cliui';
import stringWidth from 'string-width';
import y18n from 'y18n';
import Parser from 'yargs-parser';

// oxlint-disable-next-line import/no-default-export -- that is what yargs imports
export default {
  assert: { notStrictEqual, strictEqual },
  cliui,
  getEnv: (key) => process.env[key],
  getProcessArgvBin: () => process.argv[1],
  inspect,
  Parser,
  path: { basename, dirname, extname, join, relative, resolve },
  process: {
    argv: () => process.argv,
    cwd: () => '/',
    emitWarning: (warning, type) => process.emitWarning(warning, type),
    execPath: () => process.execPath,
    stdColumns: process.stdout.columns ?? null,
  },
  stringWidth,
  y18n: y18n(),
};
