// What the app can resolve: /etc/hosts and nsswitch.conf of its container, and names as people give them.
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import {
  blockOf,
  describeContainer,
  refusalOf,
  refused,
  parseEnvironment,
  runContainer,
  startPlatform,
} from '../helpers/container.ts';
import type { Ended } from '../helpers/container.ts';

const shop: PlatformFile = {
  self: 'web',
  services: {
    web: '10.0.0.10',
    'my-db': [
      { ipv4: '10.0.0.20', ipv6: 'fd00::20' },
      { ipv4: '10.0.0.21', healthy: false },
    ],
    'mes-données': 'fd00::40',
  },
};
const docker = '127.0.0.1\tlocalhost\n# mine, caf\u{e9}\n172.17.0.2\tcontainer\n';

describeContainer('hosts', () => {
  test('has a block of ours below what was there, byte for byte', async () => {
    const ended = await runContainer({ emulator: await startPlatform(shop), hosts: docker });
    expect(ended).toMatchObject({ status: 0, stderr: '', stdout: 'the app ran\n' });
    expect(ended.hosts.slice(0, docker.length)).toBe(docker);
    expect(blockOf(ended.hosts)).toEqual([
      'fd00::40 xn--mes-donnes-i7a.warp',
      '10.0.0.20 my-db.warp',
      'fd00::20 my-db.warp',
      '10.0.0.10 web.warp',
    ]);
  });

  test('resolves for programs of the C library and for Node, by default and own names', async () => {
    const script = `getent ahostsv4 my-db.warp | grep -c '^10.0.0.20 *STREAM'
      getent hosts database.internal | tr -s ' '
      exec node -e 'require("dns").lookup("xn--mes-donnes-i7a.warp", (error, address) => console.log(address))'`;
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      config:
        'module.exports = { ist: { service: "my-db", hostnames: "Database.Internal" }, init: { hosts: { addresses: "chosen" } } };',
      args: ['--', 'sh', '-c', script],
    });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toBe('1\nfd00::20 database.internal my-db.warp\nfd00::40\n');
  });

  test('loses a block of ours without an end, and one that is torn, and no line of an operator', async () => {
    const torn = [
      '127.0.0.1 localhost',
      '# BEGIN warp-init (generated, do not edit)',
      '10.9.9.9 old.warp # warp-init (generated)',
      '10.1.1.1 of-an-operator',
      '# BEGIN warp-init (generated, do not edit)',
      '10.9.9.8 older.warp # warp-init (generated)',
      '10.9.9.7 tor',
    ].join('\n');
    const emulator = await startPlatform(shop);
    const first = await runContainer({ emulator, hosts: torn });
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(blockOf(first.hosts)).toHaveLength(4);
    expect(first.hosts).not.toMatch(/old/);
    expect(first.hosts).toMatch(/^127\.0\.0\.1 localhost\n/);
    expect(first.hosts).toMatch(/^10\.1\.1\.1 of-an-operator$/m);
    expect(first.hosts).toMatch(/^10\.9\.9\.7 tor$/m);
    const again = await runContainer({ emulator, hosts: first.hosts });
    expect(again.hosts).toBe(first.hosts);
  });

  test('loses the block where there is no service any more', async () => {
    const { hosts } = await runContainer({ emulator: await startPlatform(shop) });
    const standalone = await runContainer({ hosts });
    expect(standalone).toMatchObject({ status: 0, hosts: '127.0.0.1 localhost\n' });
  });
});

describeContainer('hosts that cannot be written', () => {
  const before = 'mount -o remount,bind,ro /etc/hosts';

  test('is a warning, and the variables work all the same', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      before,
      args: ['--', 'sh', '-c', 'echo $WARP_IST_my_db'],
    });
    expect(ended).toMatchObject({
      status: 0,
      stdout: '10.0.0.20\n',
      hosts: '127.0.0.1 localhost\n',
    });
    expect(ended.log()).toEqual([
      expect.objectContaining({
        level: 40,
        code: 'W_HOSTS',
        where: '/etc/hosts',
        msg: expect.stringMatching(
          /^Cannot write \/etc\/hosts: read-only file system \(EROFS\)\. .* the WARP_IST_ variables work/,
        ),
        fix: 'Start init as root (the app with --user), in a read-only container with a hosts file as a volume; or let the app use the WARP_IST_ variables.',
      }),
    ]);
  });

  test('is fatal if the config says so', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      before,
      config: 'module.exports = { init: { hosts: { onError: "fail" } } };',
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 73,
        code: 'E_HOSTS',
        message: 'Cannot write /etc/hosts: read-only file system (EROFS)',
        where: '/etc/hosts',
        fix: 'Make the file writable for init, or set init.hosts.onError to "warn".',
      }),
    );
  });

  test('is nothing where it is right already', async () => {
    const emulator = await startPlatform(shop);
    const { hosts } = await runContainer({ emulator });
    const ended = await runContainer({ emulator, hosts, before });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
  });
});

describeContainer('nsswitch.conf without `files`', () => {
  const nsswitch = 'passwd: files\nhosts: dns\n';
  const getent = ['--', 'getent', 'hosts', 'my-db.warp'];

  test('is a warning that names the variables to use instead', async () => {
    const ended = await runContainer({ emulator: await startPlatform(shop), nsswitch });
    expect(ended).toMatchObject({ status: 0, stdout: 'the app ran\n' });
    expect(ended.log()).toEqual([
      expect.objectContaining({
        code: 'W_NSSWITCH',
        where: '/etc/nsswitch.conf:2',
        fix: expect.stringMatching(/init\.nsswitch to "fix", or use .*WARP_IST_my-db/),
      }),
    ]);
  });

  test('is corrected with `fix`: names resolve', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      nsswitch,
      args: getent,
      config: 'module.exports = { init: { nsswitch: "fix" } };',
    });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toMatch(/my-db\.warp/);
  });

  test('is fatal with `fail`', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      nsswitch,
      config: 'module.exports = { init: { nsswitch: "fail" } };',
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_NSSWITCH',
        message: 'Cannot rely on IST hostnames',
        where: '/etc/nsswitch.conf:2',
        fix: 'Put `files` first on the hosts line',
      }),
    );
  });
});

const oddNames: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  ['a newline', 'a\n6.6.6.6 bank.example', ['a-6-6-6-6-bank-example.warp'], ['W_IST_NO_VARIABLE']],
  ['a carriage return', 'a\rb', ['a-b.warp'], ['W_IST_NO_VARIABLE']],
  ['#', 'a #b', ['a--b.warp'], ['W_IST_NO_VARIABLE']],
  ['a tab', 'a\tb', ['a-b.warp'], ['W_IST_NO_VARIABLE']],
  ['NUL', 'a\0b', ['a-b.warp'], ['W_IST_NO_VARIABLE']],
  ['=', 'a=b=c', ['a-b-c.warp'], []],
  ['only hyphens', '---', [], ['W_IST_NO_HOSTNAME']],
  ['nothing at all', '', [], ['W_IST_NO_HOSTNAME']],
  ['300 characters', 'x'.repeat(300), [`${'x'.repeat(300)}.warp`], ['W_IST_LONG_HOSTNAME']],
  ['an emoji', '✅ db', ['xn---db-8g6a.warp'], []],
  ['a family of emoji', '👨‍👩‍👧', ['xn--1uga80807abag.warp'], []],
  ['half an emoji', '\u{d83d}x', ['xn--x-7f4g.warp'], []],
  ['shell syntax', "'; rm -rf $(x) `y`", ['---rm--rf---x---y.warp'], []],
];

describeContainer('a service name with', () => {
  test.each(oddNames)(
    '%s: the app starts, hosts and environment are well-formed',
    async (_what, name, hostnames, codes) => {
      const services = [
        { name: 'web', instances: ['10.0.0.10'] },
        { name, instances: ['10.0.0.20'] },
      ];
      const ended = await runContainer({
        emulator: await startPlatform({ self: 'web', services }),
        hosts: docker,
        args: ['--', 'env', '-0'],
      });
      expect(ended.status).toBe(0);
      expect(ended.hosts.slice(0, docker.length)).toBe(docker);
      const block = blockOf(ended.hosts);
      expect(block).toContain('10.0.0.10 web.warp');
      const environment = parseEnvironment(ended.stdout);
      const own = [...environment].filter(([variable]) => variable.startsWith('WARP_IST_'));
      expect(environment.get('WARP_IST_web')).toBe('10.0.0.10');
      for (const [, value] of own) {
        expect(value).toMatch(/^10\.0\.0\.[12]0$/);
      }

      expect(block.filter((line) => line.startsWith('10.0.0.20'))).toEqual(
        hostnames.map((hostname) => `10.0.0.20 ${hostname}`),
      );
      expect(codesOf(ended)).toEqual(codes);
    },
  );
});

describeContainer('services', () => {
  test('two with one name: one has the names, the other one’s loss is a warning', async () => {
    const services = [
      { name: 'web', instances: ['10.0.0.10'] },
      { name: 'twin', id: 'b'.repeat(24), instances: ['10.0.0.22'] },
      { name: 'twin', id: 'a'.repeat(24), instances: ['10.0.0.21'] },
    ];
    const ended = await runContainer({
      emulator: await startPlatform({ self: 'web', services }),
      args: ['--', 'sh', '-c', 'echo $WARP_IST_twin'],
    });
    expect(ended).toMatchObject({ status: 0, stdout: '10.0.0.21\n' });
    expect(blockOf(ended.hosts)).toEqual(['10.0.0.21 twin.warp', '10.0.0.10 web.warp']);
    expect(codesOf(ended)).toEqual(['W_IST_CONFLICT', 'W_IST_CONFLICT']);
  });

  test('none with an instance: a warning for each, no block, and the app starts', async () => {
    const ended = await runContainer({
      emulator: await startPlatform({ self: 'web', services: { web: [], 'my-db': [] } }),
      env: { CYCLE_INSTANCE_ID: 'f'.repeat(24) },
    });
    expect(ended).toMatchObject({
      status: 0,
      stdout: 'the app ran\n',
      hosts: '127.0.0.1 localhost\n',
    });
    expect(ended.log()).toEqual(
      ['my-db', 'web'].map((service): unknown =>
        expect.objectContaining({
          level: 40,
          code: 'W_NO_ADDRESS',
          where: expect.stringContaining(`"${service}"`),
        }),
      ),
    );
  });
});

function codesOf(ended: Ended): (string | undefined)[] {
  return ended.log().map(({ code }) => code);
}
