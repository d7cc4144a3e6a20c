import { describe, expect, test } from 'vitest';

import { formatDotenv } from '../../src/core/debug-dotenv.ts';
import { formatHosts } from '../../src/core/debug-hosts.ts';
import { formatJson, type DebugReport } from '../../src/core/debug-report.ts';
import { formatShell } from '../../src/core/debug-shell.ts';
import { formatTable } from '../../src/core/debug-table.ts';
import { reportOf } from './debug-rig.ts';

const formats: [string, (report: DebugReport) => string][] = [
  ['table', formatTable],
  ['json', formatJson],
  ['dotenv', formatDotenv],
  ['shell', formatShell],
  ['hosts', formatHosts],
];

const secretive = {
  config: {
    variables: {
      COPY: { local: true },
      AUTH: 'Bearer api-token-sesame',
      DB: 'warp-secret:url',
    },
    init: { secrets: { env: { KEY: 'key' }, dotenv: 'document' } },
  },
  inherited: {
    CYCLE_API_TOKEN: 'api-token-sesame',
    PASSWORD: 'inherited-sesame',
    COPY: 'copied-sesame',
    ALSO: 'warp-secret:url',
  },
  dotenv: [{ path: '.env', values: new Map([['FILE', 'file-sesame']]) }],
  argv: ['curl', '--header=api-token-sesame'],
};

describe.each(formats)('the format %s', (_name, format) => {
  test('of `debug` shows no value that can be a secret', async () => {
    expect(format(await reportOf(secretive))).not.toContain('sesame');
  });

  test('of `run --debug` shows no resolved secret, nor a name that stands in a secret document', async () => {
    const secrets = { url: 'url-sesame', key: 'key-sesame', document: 'document-sesame' };

    expect(format(await reportOf({ ...secretive, secrets }))).not.toContain('sesame');
  });

  test('of `run --debug` shows none where every secret becomes a variable', async () => {
    const config = { init: { secrets: { env: 'all' } } };
    const secrets = { ALPHA: 'alpha-sesame', BETA: 'beta-sesame' };

    expect(format(await reportOf({ config, secrets }))).not.toContain('sesame');
  });
});

describe('a hidden value', () => {
  test('has its reason, and the secret that it is', async () => {
    const { variables } = await reportOf(secretive);
    const hidden = variables.map(({ name, hidden: why, secret }) => [name, why, secret]);

    expect(hidden.filter(([, why]) => why !== null)).toEqual([
      ['CYCLE_API_TOKEN', 'inherited', null],
      ['PASSWORD', 'inherited', null],
      ['COPY', 'local', null],
      ['ALSO', 'reference', 'url'],
      ['FILE', 'dotenv', null],
      ['AUTH', 'token', null],
      ['DB', 'reference', 'url'],
    ]);
  });

  test('is not looked for in a PATH that is a secret', async () => {
    const report = await reportOf({ program: { kind: 'not-looked-up' } });

    expect(formatTable(report)).toContain('program  (not looked up: PATH is a secret)');
  });

  test('and its wish: who wants it, and where that is written', async () => {
    const { secrets } = await reportOf(secretive);

    expect(secrets).toEqual({
      isAll: false,
      wanted: [
        {
          identifier: 'url',
          kind: 'reference',
          variable: 'ALSO',
          path: null,
          where: 'inherited environment',
        },
        { identifier: 'url', kind: 'reference', variable: 'DB', path: null, where: 'variables.DB' },
        {
          identifier: 'key',
          kind: 'env',
          variable: 'KEY',
          path: null,
          where: 'init.secrets.env.KEY',
        },
        {
          identifier: 'document',
          kind: 'dotenv',
          variable: null,
          path: null,
          where: 'init.secrets.dotenv',
        },
      ],
      unnamedVariables: 0,
      held: null,
    });
  });
});
