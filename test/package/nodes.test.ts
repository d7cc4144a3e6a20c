// The package on every Node that it supports: installed by npm without a network, run, imported, required.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { findNode, nodeLines, withNode } from '../nodes/nodes.ts';
import { noPackageBecause, run, tarball, temporaryDirectory } from './npm.ts';

const areRequired = process.env['WARP_INIT_REQUIRE_NODES'] === '1';

test.skipIf(!areRequired).each(nodeLines)(
  'Node %i is there (`npm run nodes` fetches it)',
  (line) => {
    expect(findNode(line)).toBeDefined();
  },
);

const found = nodeLines.flatMap((line) => {
  const directory = findNode(line);
  return directory === undefined ? [] : [{ line, env: withNode(directory) }];
});

describe.skipIf(noPackageBecause !== undefined).each(found)('on Node $line', ({ line, env }) => {
  test('`npm install --global` works without a network, and what it gives starts an app', () => {
    const directory = temporaryDirectory();
    const offline = ['--offline', '--no-audit', '--no-fund'];
    const installed = run(
      ['npm', 'install', '--global', '--prefix', directory, tarball(), ...offline],
      { ...env, npm_config_cache: join(directory, 'cache') },
    );
    expect(installed).toMatchObject({ status: 0 });
    const file = join(directory, 'bin', 'warp-init');
    const app = 'process.stdout.write(`${process.version} ${process.env.FROM_CONFIG}`)';
    const config = join(directory, 'warp.config.js');
    writeFileSync(
      config,
      "module.exports = {variables: {FROM_CONFIG: 'yes'}, init: {follow: false}};",
    );
    const started = run([file, '--config', config, '--', 'node', '-e', app], env);

    expect(started.status).toBe(0);
    expect(started.stdout).toMatch(new RegExp(String.raw`^v${line}\.\d+\.\d+ yes$`));
    expect(run([file, '--version'], env)).toMatchObject({ status: 0, stderr: '' });
  });

  test('its modules are imported and required, without a word on stderr', () => {
    const directory = temporaryDirectory();
    run(['npm', 'install', '--offline', '--ignore-scripts', '--prefix', directory, tarball()], {
      ...env,
      npm_config_cache: join(directory, 'cache'),
    });
    const use = "console.log(encodeServiceName('é').generic, typeof createClient);";
    writeFileSync(
      join(directory, 'use.mjs'),
      `import { encodeServiceName } from 'warp-init';\nimport { createClient } from 'warp-init/client';\n${use}`,
    );
    writeFileSync(
      join(directory, 'use.cjs'),
      `const { encodeServiceName } = require('warp-init');\nconst { createClient } = require('warp-init/client');\n${use}`,
    );
    const expected = { status: 0, stdout: 'WARP_IST_e function\n', stderr: '' };

    expect(run(['node', join(directory, 'use.mjs')], env)).toEqual(expected);
    expect(run(['node', join(directory, 'use.cjs')], env)).toEqual(expected);
  });
});
