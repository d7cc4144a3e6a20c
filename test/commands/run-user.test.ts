// `--user`: who the app is, and what that means for its environment. init itself stays root.
import { describe, expect, test } from 'vitest';

import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startPlatform,
} from '../helpers/container.ts';
import { isRoot } from '../helpers/pid1.ts';

const platform = { services: { web: '10.0.0.10' } };
const tell = ['--', 'sh', '-c', 'id -u; id -g; id -G; echo $HOME ${USER-none} ${LOGNAME-none}'];
const accounts = `mkdir -p etc
  printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1234:2345::/srv/app:/bin/sh\n' > etc/passwd
  printf 'root:x:0:\napp:x:2345:\nlogs:x:77:other,app\nwheel:x:10:root\n' > etc/group
  mount --bind etc/passwd /etc/passwd
  mount --bind etc/group /etc/group`;

describe.skipIf(!isRoot)('needs root', () => {
  describeContainer('--user', () => {
    test.each([
      ['app', '1234\n2345\n2345 77\n/srv/app app app\n'],
      ['1234', '1234\n2345\n2345 77\n/srv/app app app\n'],
      ['app:logs', '1234\n77\n77\n/srv/app app app\n'],
      ['app:99', '1234\n99\n99\n/srv/app app app\n'],
      ['4321', '4321\n0\n0\n/ none none\n'],
      ['4321:8765', '4321\n8765\n8765\n/ none none\n'],
    ])('%s', async (user, stdout) => {
      const ended = await runContainer({
        emulator: await startPlatform(platform),
        before: accounts,
        env: { USER: 'root', LOGNAME: 'root', HOME: '/root' },
        args: ['--user', user, ...tell],
      });
      expect(ended).toMatchObject({ status: 0, stdout, stderr: '' });
    });

    test('nobody of the system itself, by WARP_INIT_USER and by init.user', async () => {
      const emulator = await startPlatform(platform);
      const [byVariable, byConfig] = await Promise.all([
        runContainer({ emulator, args: tell, env: { WARP_INIT_USER: 'nobody' } }),
        runContainer({
          emulator,
          args: tell,
          config: 'module.exports = { init: { user: "nobody" } };',
        }),
      ]);
      expect(byVariable.stdout).toMatch(/^65534\n65534\n65534\n\S+ nobody nobody\n$/);
      expect(byConfig.stdout).toBe(byVariable.stdout);
    });

    test('may write to the stderr that it inherits, and init ends with its status', async () => {
      const args = ['--user', 'nobody', '--', 'sh', '-c', 'echo said >&2; exit 9'];
      const ended = await runContainer({ emulator: await startPlatform(platform), args });
      expect(ended).toMatchObject({ status: 9, stderr: 'said\n' });
    });

    test('that does not exist ends the start with 78 and the nearest name', async () => {
      const args = ['--user', 'appp', ...tell];
      const emulator = await startPlatform(platform);
      expect(refusalOf(await runContainer({ emulator, before: accounts, args }))).toEqual(
        refused({
          status: 78,
          code: 'E_USER',
          message: 'Cannot run the app as "appp": no such user in /etc/passwd',
          where: '/etc/passwd',
          fix: /"?app"?/,
        }),
      );
    });

    test('whose line in /etc/passwd is broken ends the start with 78 and names the line', async () => {
      const ended = await runContainer({
        emulator: await startPlatform(platform),
        before: `${accounts}\n echo 'broken:x:1o1:101::/:/bin/sh' >> /etc/passwd`,
        args: ['--user', 'broken', ...tell],
      });
      expect(refusalOf(ended)).toEqual(
        refused({
          status: 78,
          code: 'E_USER',
          message: 'Cannot run the app as "broken": line 3 of /etc/passwd is broken',
          where: '/etc/passwd:3',
          fix: 'Correct that line in the image.',
        }),
      );
      expect(ended.hosts).toBe('127.0.0.1 localhost\n');
    });

    test.each([
      ['--user', { args: ['--user', 'nobody', ...tell] }],
      ['WARP_INIT_USER', { args: tell, env: { WARP_INIT_USER: 'nobody' } }],
      ['init.user', { args: tell, config: 'module.exports = { init: { user: "nobody" } };' }],
    ])('that may not be become ends the start with 78, and names %s', async (where, options) => {
      const ended = await runContainer({
        emulator: await startPlatform(platform),
        before: 'set -- setpriv --bounding-set=-setuid,-setgid "$@"',
        ...options,
      });
      expect(refusalOf(ended)).toEqual(
        refused({
          status: 78,
          code: 'E_USER',
          message: /^Cannot become nobody: EPERM \((?:groups|gid|uid)\)$/,
          where,
          fix: `Start the container as root with the capabilities SETUID and SETGID, or leave ${where} out.`,
        }),
      );
    });

    test('for whom the program is out of reach: 126, and who could not', async () => {
      const ended = await runContainer({
        emulator: await startPlatform(platform),
        before: 'mkdir -m 700 private && cp /bin/true private/program',
        args: ['--user', 'nobody', '--', 'private/program'],
      });
      expect(refusalOf(ended)).toEqual(
        refused({
          status: 126,
          code: 'E_SPAWN',
          message: 'Cannot run "private/program" as nobody: permission denied',
          where: 'private/program',
          fix: 'Make the file and its directories accessible to that user, and the file executable.',
        }),
      );
    });
  });
});
