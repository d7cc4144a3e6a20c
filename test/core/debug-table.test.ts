import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatHosts } from '../../src/core/debug-hosts.ts';
import { formatTable } from '../../src/core/debug-table.ts';
import { StartError } from '../../src/errors.ts';
import { instanceOf, reportOf, snapshotOf } from './debug-rig.ts';

const shop = snapshotOf(['my-db', 'my db', 'down'], {
  instances: [
    instanceOf('c-self'),
    instanceOf('c-self', { id: 'i-sibling', ipv4: '10.0.0.2', isHealthy: false, isDraining: true }),
    instanceOf('c0', { ipv4: '10.0.0.20', ipv6: 'fd00::20' }),
    instanceOf('c0', { id: 'i-other', ipv4: '10.0.0.21' }),
    instanceOf('c1', { ipv4: '10.0.0.30', state: 'starting' }),
  ],
  certificates: [
    { id: 'cert1', domains: ['www.shop.example', 'shop.example'] },
    { id: 'cert2', domains: ['shop.example'] },
  ],
});

describe('the table', () => {
  test('shows who we are, what leads where, and what would be done', async () => {
    const report = await reportOf({
      snapshot: shop,
      config: {
        variables: { MODE: 'dark', LANG: { undef: true }, DB: 'warp-secret:db' },
        ist: { service: 'my-db', hostnames: 'db.internal' },
      },
      inherited: { PATH: '/bin', LANG: 'C', TERM: 'dumb' },
      argv: ['node', 'server.js', 'two words'],
    });

    expect(formatTable(report)).toMatchInlineSnapshot(`
      "This container
        hub          acme (h1)
        environment  shop (e1)
        server       laptop-1 (s1)
        container    web (c-self), identifier web, in no deployment, running

      Its instances
        i-c-self   this one, running, 10.0.0.1, server server-1
        i-sibling  running, unhealthy, draining, 10.0.0.2, server server-1

      Certificates
        shop.example      cert1, cert2
        www.shop.example  cert1

      Services (4)
        down         none (no instance can be reached: no names), c2
        "my db"      any (none is running), c1
          chosen     10.0.0.30
          hostnames  my-db.warp
          variables  WARP_IST_my_db
        my-db        best, has an \`ist\` entry, c0
          chosen     10.0.0.21
          others     10.0.0.20 fd00::20
          hostnames  db.internal
          variables  WARP_IST_my-db
        web          this container, best, c-self
          chosen     10.0.0.1
          hostnames  web.warp
          variables  WARP_IST_web

      Conflicts (2)
        my-db.warp      "my db" has it, not my-db
        WARP_IST_my_db  "my db" has it, not my-db

      Variables (13 of init, 2 inherited)
        WARP_PROJECT     acme  identity: /v1/hub
        WARP_PROJECT_ID  h1  identity: /v1/hub
        WARP_ENV         shop  identity: /v1/environment
        WARP_ENV_ID      e1  identity: /v1/environment
        WARP_SERVICE     web  identity: /v1/container
        WARP_SERVICE_ID  c-self  identity: /v1/container
        WARP_RUNNER      laptop-1  identity: /v1/server
        WARP_RUNNER_ID   s1  identity: /v1/server
        WARP_IST_my_db   10.0.0.30  ist: "my db"
        WARP_IST_my-db   10.0.0.21  ist: my-db
        WARP_IST_web     10.0.0.1  ist: web
        MODE             dark  variables
        DB               (secret)  variables: db
        (removed)        LANG

      Secrets
        db  for DB (variables.DB)

      Before the start
        /etc/nsswitch.conf  ok, line 1,
                            \`files\` is asked, and nothing before it ends the lookup
        /etc/hosts          5 addresses, 5 names (see --format hosts)

      Start
        command  node server.js "two words"
        program  /bin/true
        user     that of init

      Warnings
        W_NO_ADDRESS    1, in full on stderr
        W_IST_CONFLICT  2, in full on stderr
      "
    `);
  });

  test('says so where there is no platform, and what that means for secrets', async () => {
    const config = { init: { secrets: { env: { KEY: 'key' } } } };
    const table = formatTable(await reportOf({ snapshot: null, config, argv: [] }));

    expect(table).toMatchInlineSnapshot(`
      "This container
        platform  none: standalone, the config alone is used

      Secrets
        key  for KEY (init.secrets.env.KEY)

      Before the start
        /etc/nsswitch.conf  ok, line 1,
                            \`files\` is asked, and nothing before it ends the lookup
        /etc/hosts          no names of ours

      Start
        command  (none)
        user     that of init

      What would stop \`run\`
        E_SECRET_STANDALONE  status 69: Cannot fetch secrets, because there is no
                             platform: neither a socket nor a token. Wanted: secret
                             "key" for variable KEY (init.secrets.env.KEY). Run on the
                             platform or beside \`warp-init emulator\`, or give these
                             variables plain values.
        E_USAGE              status 64: Cannot start: no command was given. Name it
                             after \`--\`, or in \`args\` of warp.config.js; \`debug\` takes
                             it the same way.
      "
    `);
  });

  test('shows a missing program and goes on', async () => {
    const error = new StartError('E_NOT_FOUND', 'Cannot run "x": no such program', {
      exitCode: 127,
      remedy: { where: 'PATH=/bin', fix: 'Check CMD.' },
    });
    const report = await reportOf({ argv: ['x'], program: { kind: 'failed', error } });

    expect(formatTable(report)).toContain('program  (not found: see below)');
    expect(formatTable(report)).toContain('status 127: Cannot run "x": no such program');
  });

  test('names the status that nsswitch.conf would stop `run` with', async () => {
    const config = { init: { nsswitch: 'fail' } };
    const report = await reportOf({ config, nsswitch: 'hosts: dns\n' });

    expect(report.nsswitch).toMatchObject({ verdict: 'broken', line: 1, mode: 'fail' });
    expect(report.problems).toMatchObject([{ code: 'E_NSSWITCH', exitStatus: 78 }]);
  });

  const parts = fc.constantFrom(
    'db',
    ' ',
    '\n',
    '\r',
    '\t',
    '\u001b[2J',
    '\u009b',
    '\u202e',
    '\u2028',
    '"',
    "'",
    ',',
    '✅',
    '\ud800',
    'x'.repeat(90),
  );
  const names = fc.uniqueArray(
    fc.array(parts, { minLength: 1, maxLength: 4 }).map((list) => list.join('')),
    { maxLength: 4 },
  );

  test('never lets a name act on the terminal, add a line or lose a letter', async () => {
    await fc.assert(
      fc.asyncProperty(names, async (services) => {
        const table = formatTable(await reportOf({ snapshot: snapshotOf(services) }));

        expect(table).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
        expect(table.match(/^ {4}chosen /gm)).toHaveLength(services.length + 1);
        for (const service of services.filter((it) => /^[dbx✅]+$/.test(it))) {
          expect(table).toContain(`\n  ${service}${service.length > 30 ? '\n' : ' '}`);
        }
      }),
    );
  });
});

describe('the hosts format', () => {
  test('is the block, then the services that have no line in it', async () => {
    expect(formatHosts(await reportOf({ snapshot: shop }))).toMatchInlineSnapshot(`
      "# BEGIN warp-init (generated, do not edit)
      10.0.0.30 my-db.warp # warp-init (generated)
      10.0.0.1 web.warp # warp-init (generated)
      # END warp-init
      # service down: no address
      # service my-db: no hostname of its own
      "
    `);
  });

  test('keeps a service name in the comment that it is in', async () => {
    const output = formatHosts(
      await reportOf({ snapshot: snapshotOf(['\n6.6.6.6 bank', '--\n-', '-\u2028']) }),
    );

    expect(output.split('\n').filter((line) => !/^(?:#.*|10\.0\.0\.1 .*|)$/.test(line))).toEqual(
      [],
    );
    expect(output).toContain(String.raw`# service '--\u000a-': no hostname of its own`);
  });
});
