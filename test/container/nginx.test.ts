// nginx with the overlay, by the recipe of docs/cookbook.md as it stands there: upstream and certificate change while it serves.
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';

import { codeBlocks, readPage } from '../docs/pages.ts';
import { eventually, startProcess } from '../helpers/process.ts';
import { nginxImage } from './base-images.ts';
import { type Container, buildImage, startContainer, startPlatform, storage } from './container.ts';
import { environment, optionsOf } from './podman.ts';
import { overlayArchive } from './setup.ts';

const node = '/opt/warp-init/node';

/** In its section: the config of warp-init, and that of nginx. */
function readRecipe(): { readonly config: string; readonly server: string } {
  const { path, text } = readPage('docs/cookbook.md');
  const section = /^## nginx: .*?(?=^## )/ms.exec(text)?.[0] ?? '';
  const blocks = codeBlocks({ path, text: section });
  const blockOf = (wanted: string) => blocks.find(({ language }) => language === wanted)?.code;
  return { config: blockOf('js') ?? '', server: blockOf('nginx') ?? '' };
}

const domain = 'shop.example.com';
const slowBytes = 2000;

/** Each says who it is; one has an answer that takes a second. The container has no network but its own. */
const backends = ['127.0.0.2', '127.0.0.3']
  .map(
    (address) => `server {
  listen ${address}:8080;
  location / { return 200 "${address}"; }
  location /slow { limit_rate ${slowBytes / 2}; return 200 "${'x'.repeat(slowBytes)}"; }
}
`,
  )
  .join('');

function platformWith(address: string, domains: readonly string[]): object {
  return {
    self: 'web',
    services: { web: '127.0.0.1', 'my-db': address },
    certificates: [{ domains }],
  };
}

/** Built by the first test that wants it. */
let built: Promise<string> | undefined;

function buildNginx(): Promise<string> {
  const { config, server } = readRecipe();
  return buildImage(
    `FROM ${nginxImage}
ADD ${overlayArchive} /
COPY warp.config.js /
COPY shop.conf backends.conf /etc/nginx/conf.d/
ENTRYPOINT ["/usr/local/bin/warp-init", "--"]
`,
    { 'warp.config.js': config, 'shop.conf': server, 'backends.conf': backends },
    { [overlayArchive]: join(inject('directory'), overlayArchive) },
  );
}

async function startNginx(options: readonly string[] = []) {
  built ??= buildNginx();
  const image = await built;
  const platform = await startPlatform(platformWith('127.0.0.2', [domain]));
  const web = startContainer({ image, options: [...platform.options, ...options] });
  await web.stderr.waitFor(/start worker process \d/);
  return { platform, web };
}

const ask = `
const { get } = require('node:https');
get({ host: '127.0.0.1', path: process.argv[1], servername: '${domain}', rejectUnauthorized: false }, async (answer) => {
  const names = answer.socket.getPeerCertificate().subjectaltname;
  process.stdout.write('begun\\n');
  const body = (await answer.toArray()).join('');
  console.log(JSON.stringify({ status: answer.statusCode, body, names }));
});
`;

async function answerOf(web: Container): Promise<unknown> {
  const { status, stdout, stderr } = await web.exec([node, '-e', ask, '/']);
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout.replace('begun\n', ''));
}

/** Of the processes that have written that they received it. */
function receivers(web: Container, signal: string): string[] {
  const lines = web.stderr
    .text()
    .matchAll(new RegExp(`(\\d+)#\\d+: signal \\d+ \\(${signal}\\)`, 'g'));
  return [...lines].map(([, pid = '']) => pid);
}

test('an address and a certificate that change are in use after one SIGHUP, which the master alone gets', async () => {
  const { platform, web } = await startNginx();
  expect(await answerOf(web)).toEqual({ status: 200, body: '127.0.0.2', names: `DNS:${domain}` });
  expect(web.log()).toEqual([]);
  const status = () => web.exec(['warp-init', 'status', '--json']);
  await eventually(async () => {
    expect(JSON.parse((await status()).stdout)).toMatchObject({ pipeline: { isConnected: true } });
  });
  const master = JSON.parse((await status()).stdout).app.pid;

  platform.change(platformWith('127.0.0.3', [domain, `www.${domain}`]));
  await web.stderr.waitFor(/reconfiguring[^]*start worker process \d/);

  await eventually(async () => {
    expect(await answerOf(web)).toEqual({
      status: 200,
      body: '127.0.0.3',
      names: `DNS:${domain}, DNS:www.${domain}`,
    });
  });
  expect(receivers(web, 'SIGHUP')).toEqual([`${master}`]);
  expect(web.log().map(({ msg }) => msg)).toEqual(['Reload: signaled']);
});

test.each([
  ['of the image', []],
  ['of an engine that sends SIGTERM', ['--stop-signal=SIGTERM']],
])('the stop signal %s lets a request that runs finish', async (_whose, options) => {
  const { web } = await startNginx(options);
  const exec = [...optionsOf(storage()), 'exec', web.name, node, '-e', ask, '/slow'];
  const client = startProcess('podman', exec, { env: environment, cwd: storage().directory });
  await client.stdout.waitFor('begun');

  await web.stop(30);

  expect(await web.ended).toBe(0);
  expect(web.stderr.text()).toContain('gracefully shutting down');
  const served = new RegExp(`"GET /slow HTTP/1\\.[01]" 200 ${slowBytes} `, 'g');
  expect(web.stdout.text().match(served)).toHaveLength(2); // By the backend, and to the client.
});
