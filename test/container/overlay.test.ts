// Images without Node and without glibc, over which the overlay is unpacked: ADD in a Dockerfile.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';

import { eventually } from '../helpers/process.ts';
import { alpineImage, pythonImage } from './base-images.ts';
import { buildImage, shopPlatform, startContainer, startPlatform } from './container.ts';
import { overlayArchive } from './setup.ts';

const root = new URL('../../', import.meta.url).pathname;

test.each([
  ['an Alpine-like image, whose C library is musl', alpineImage, [], 'nobody', 65_534],
  ['scratch, where there is nothing but the app', 'scratch', ['-static'], '1234', 1234],
])('%s: all is as in an image with Node', async (_what, base, flags, user, uid) => {
  const app = join(inject('directory'), `look-up-${uid}`);
  execFileSync('musl-gcc', [...flags, '-o', app, join(root, 'test/container/look-up.c')]);
  const image = await buildImage(
    `FROM ${base}
ADD ${overlayArchive} /
COPY look-up /look-up
ENV WARP_INIT_USER=${user} NODE_OPTIONS=--require=/nowhere.js LD_LIBRARY_PATH=/lib
ENTRYPOINT ["/usr/local/bin/warp-init", "--"]
CMD ["/look-up"]
`,
    {},
    { [overlayArchive]: join(inject('directory'), overlayArchive), 'look-up': app },
  );
  const platform = await startPlatform();
  const web = startContainer({ image, options: platform.options });
  const [line] = await web.stdout.waitFor(/^.*address.*$/m);

  expect(JSON.parse(line)).toEqual({
    address: '10.0.0.20',
    variable: '10.0.0.20',
    uid,
    options: '--require=/nowhere.js',
  });
  expect(web.log()).toEqual([]);
  await eventually(async () => {
    expect((await web.exec(['/usr/local/bin/warp-init', 'health'])).status).toBe(0);
  });
  expect((await web.exec(['/usr/local/bin/warp-init', 'status'])).stdout).toMatch(/^healthy/);

  await web.stop(30);
  expect(await web.ended).toBe(0);
});

test('a shell without glibc, as the app and as a HEALTHCHECK, sees what init has prepared', async () => {
  const image = await buildImage(
    `FROM ${alpineImage}
ADD ${overlayArchive} /
ENTRYPOINT ["warp-init", "--"]
CMD echo "$WARP_IST_my_db"; grep -o my-db.warp /etc/hosts; exec sleep 600
`,
    {},
    { [overlayArchive]: join(inject('directory'), overlayArchive) },
  );
  const platform = await startPlatform();
  const web = startContainer({ image, options: platform.options });
  await web.stdout.waitFor(/^10\.0\.0\.20\nmy-db\.warp$/m);

  await eventually(async () => {
    expect((await web.exec(['sh', '-c', 'warp-init health || exit 1'])).status).toBe(0);
  });
});

test('Python on glibc has names, variables and a secret, and check says what the image lacks', async () => {
  const script = `
import os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
found = socket.getaddrinfo('my-db.warp', 80, socket.AF_INET)[0][4][0]
print(found, os.environ['WARP_IST_my_db'], os.environ['DATABASE_URL'], os.getuid(), os.getppid(), flush=True)
signal.pause()
`;
  const image = await buildImage(
    `FROM ${pythonImage}
ADD ${overlayArchive} /
COPY app.py /app.py
ENV WARP_INIT_USER=nobody DATABASE_URL=warp-secret:database-url
ENTRYPOINT ["warp-init", "--"]
CMD ["python3", "/app.py"]
`,
    { 'app.py': script },
    { [overlayArchive]: join(inject('directory'), overlayArchive) },
  );
  const platform = await startPlatform();
  const web = startContainer({ image, options: platform.options });
  await web.stdout.waitFor(`10.0.0.20 10.0.0.20 ${shopPlatform.secrets['database-url']} 65534 1\n`);

  const check = await web.exec(['warp-init', 'check', '--json']);
  expect([check.status, JSON.parse(check.stdout).verdict]).toEqual([0, 'warning']);
  expect(check.stdout).toContain('W_NAME_FIRST_ONLY'); // It has no /etc/host.conf.
  await web.stop(30);
  expect(await web.ended).toBe(3);
});
