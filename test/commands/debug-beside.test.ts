// `warp-init debug` beside an init that runs: what it holds is asked from it, and the platform is asked for no secret.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

import { describeContainer } from '../helpers/container.ts';
import { reader, shop, startFollowed } from './follow-rig.ts';

const bundle = new URL('../../dist/warp-init.cjs', import.meta.url).pathname;
const path = '/v1/environment/scoped-variables';

describeContainer('debug beside an init that runs', () => {
  test('shows which secrets that one holds, and fetches none', async () => {
    const secrets = {
      KEY: { value: 'correct-horse', once: true },
      doc: 'NAME_OF_A_CUSTOMER=battery-staple',
    };
    const it = await startFollowed({
      platform: shop('10.0.0.20', secrets),
      args: reader(),
      init: { secrets: { env: 'all', dotenv: ['doc'] } },
    });
    const count = it.emulator.countRequests(path);
    const debug = async (format: string) => {
      const args = [bundle, 'debug', '--format', format];
      const environment = {
        PATH: process.env['PATH'] ?? '',
        ...it.emulator.environment,
        WARP_INIT_STATE_DIRECTORY: it.inside('/run/warp-init'),
      };
      const options = { cwd: it.directory, env: environment };
      return (await promisify(execFile)(process.execPath, args, options)).stdout;
    };
    const json = await debug('json');

    expect(JSON.parse(json)).toMatchObject({ secrets: { held: ['KEY', 'doc'] } });
    expect(await debug('table')).toMatch(/^ {2}\(running init\) +KEY, doc$/m);
    expect(json).not.toMatch(/CUSTOMER|correct-horse|battery-staple/);
    expect(it.emulator.countRequests(path)).toBe(count);
  });
});
