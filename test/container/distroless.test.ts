// An image with Node and nothing else: no shell, no libraries but Node's own.
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { distrolessImage } from './base-images.ts';
import { buildImage, runContainer, startContainer, startPlatform } from './container.ts';

const dist = new URL('../../dist/', import.meta.url).pathname;
const binary = `warp-init-${process.arch}`;

const app = `const { lookup } = require('node:dns');
lookup('my-db.warp', (error, address) => {
  console.log(JSON.stringify({ address, uid: process.getuid(), host: process.env.WARP_IST_my_db }));
});
setInterval(() => {}, 1000);
process.on('SIGTERM', () => process.exit(0));
`;

function build(entrypoint: string): Promise<string> {
  return buildImage(
    `FROM ${distrolessImage}
COPY ${binary} warp-init.cjs /opt/warp-init/
COPY app.js /app.js
ENV WARP_INIT_USER=nonroot WARP_INIT_NODE=/nodejs/bin/node
ENTRYPOINT ${entrypoint}
CMD ["/nodejs/bin/node", "/app.js"]
`,
    { 'app.js': app },
    { [binary]: join(dist, binary), 'warp-init.cjs': join(dist, 'warp-init.cjs') },
  );
}

test('without a shell the binary itself is the ENTRYPOINT, and all is as elsewhere', async () => {
  const platform = await startPlatform();
  const image = await build(`["/opt/warp-init/${binary}", "--"]`);
  const web = startContainer({ image, options: platform.options });
  const [line] = await web.stdout.waitFor(/^.*host.*$/m);

  expect(JSON.parse(line)).toEqual({ address: '10.0.0.20', uid: 65_532, host: '10.0.0.20' });
  expect(web.log()).toEqual([]);
  expect((await web.exec(['/bin/sh', '-c', 'true'])).status).not.toBe(0);
  expect((await web.exec([`/opt/warp-init/${binary}`, 'status'])).status).toBe(0);

  await web.stop(30);
  expect(await web.ended).toBe(0);
});

test('an ENTRYPOINT without brackets is refused by the engine, which names the shell that is not there', async () => {
  const image = await build(`/opt/warp-init/${binary} --`);
  const { status, stderr } = await runContainer({ image });

  expect(status).toBe(127);
  expect(stderr).toContain('/bin/sh');
});
