// The control socket: what it answers, who may ask, and that no client and no failure ends init or is waited for.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { parseStatus } from '../../src/inputs/control-documents.ts';
import type { ReloadReport } from '../../src/core/reload-report.ts';
import { formatDocument } from '../../src/core/status.ts';
import { busy, nothingChanged, reportOf } from '../core/status-examples.ts';
import { eventually, startProcess } from '../helpers/process.ts';
import { deadSocketPath } from '../inputs/socket-server.ts';
import { collectFrom, curl, sayBytes, serve, stateDirectory } from './control-rig.ts';

const getStatus = 'GET /status HTTP/1.1\r\nHost: x\r\n\r\n';

describe('curl gets', () => {
  test('the status as JSON, from a socket that is for init’s user alone', async () => {
    const { path, directory, problems } = await serve();
    const { status, headers, text } = await curl(path, '/status');
    expect(status).toBe(200);
    expect(headers).toMatch(/^content-type: application\/json\r?$/im);
    expect(parseStatus(text)).toEqual(busy);

    const { mode, uid } = lstatSync(path);
    expect((mode & 0o7777).toString(8)).toBe('600');
    expect(uid).toBe(process.getuid?.());
    expect(readdirSync(directory)).toEqual(['control.sock']);
    expect(problems).toEqual([]);
  });

  test('the text of ist.json as it is at that moment', async () => {
    let version = 1;
    const { path } = await serve({ ist: () => `{"n":${version}}\n` });
    expect((await curl(path, '/ist')).text).toBe('{"n":1}\n');
    version = 2;
    expect(await curl(path, '/ist?pretty')).toMatchObject({ status: 200, text: '{"n":2}\n' });
  });

  test('503 in place of a map that nobody knows, and never an empty one', async () => {
    const { path } = await serve({ ist: () => undefined });
    expect(await curl(path, '/ist')).toMatchObject({
      status: 503,
      text: expect.stringContaining('"error"'),
    });
  });

  test('the metrics as Prometheus reads them', async () => {
    const { path } = await serve();
    const { status, headers, text } = await curl(path, '/metrics');
    expect(status).toBe(200);
    expect(headers).toMatch(/^content-type: text\/plain; version=0\.0\.4; charset=utf-8\r?$/im);
    expect(text).toContain('\nwarp_init_reloads_total{outcome="signaled"} 5\n');
    const success = Number(/last_success_timestamp_seconds (\d+)\n/.exec(text)?.[1]);
    expect(Math.abs(Date.now() / 1000 - success)).toBeLessThan(10);
  });

  test('head and no text for HEAD', async () => {
    const { path } = await serve();
    const { status, headers, text } = await curl(path, '/ist', '--head');
    expect([status, text]).toEqual([200, '']);
    expect(headers).toMatch(/^content-length: 28\r?$/im);
  });

  test('the report of a reload, 200 if it has worked and else 500, with or without a body', async () => {
    const report = reportOf('failed', { problem: 'Cannot reach the platform' });
    const [good, bad] = await Promise.all([
      serve(),
      serve({ reload: () => Promise.resolve(report) }),
    ]);
    const [worked, failed] = await Promise.all([
      curl(good.path, '/reload', '--request', 'POST'),
      curl(bad.path, '/reload', '--data', '{"a":1}'),
    ]);
    expect(worked.status).toBe(200);
    expect(JSON.parse(worked.text)).toEqual({
      outcome: 'signaled',
      changed: { ...nothingChanged, ist: ['my-db'] },
      problem: null,
      restartInMs: null,
    });
    expect(failed.status).toBe(500);
    expect(failed.text).toBe(formatDocument(report));
    await expect(curl(bad.path, '/reload', '--fail', '--data', '')).rejects.toThrow('500');
  });

  test('a reload with or without waiting, and no other question', async () => {
    const asked: boolean[] = [];
    const { path } = await serve({
      reload: (isNow) => {
        asked.push(isNow);
        return Promise.resolve(reportOf('applied'));
      },
    });
    const statuses: number[] = [];
    for (const url of ['/reload', '/reload?', '/reload?now', '/reload?now=false', '/reload?NOW']) {
      statuses.push((await curl(path, url, '--request', 'POST')).status);
    }

    expect(statuses).toEqual([200, 200, 200, 400, 400]);
    expect(asked).toEqual([false, false, true]);
  });

  test.each([
    ['/', 'GET', 404, undefined],
    ['/statuses', 'GET', 404, undefined],
    ['/status/', 'GET', 404, undefined],
    ['/__proto__', 'GET', 404, undefined],
    ['/reload', 'GET', 405, 'POST'],
    ['/reload', 'HEAD', 405, 'POST'],
    ['/status', 'POST', 405, 'GET, HEAD'],
    ['/metrics', 'DELETE', 405, 'GET, HEAD'],
  ])('an error as JSON for %s by %s: %i', async (url, method, code, allow) => {
    let reloads = 0;
    const { path } = await serve({
      reload: () => {
        reloads += 1;
        throw new Error('nobody has asked for it');
      },
    });
    const option = method === 'HEAD' ? ['--head'] : ['--request', method];
    const { status, headers, text } = await curl(path, url, ...option);
    expect(status).toBe(code);
    expect(/^allow: (.*?)\r?$/im.exec(headers)?.[1]).toBe(allow);
    expect(method === 'HEAD' ? { error: { status: code } } : JSON.parse(text)).toMatchObject({
      error: { status: code },
    });

    expect(reloads).toBe(0);
  });
});

describe('Several clients', () => {
  test('are answered at once while a reload is waited for, and each waiter gets its report', async () => {
    const waiting: ((report: ReloadReport) => void)[] = [];
    const { path } = await serve({
      reload: () => new Promise((resolve) => waiting.push(resolve)),
    });
    const reloads = [1, 2, 3].map(() => curl(path, '/reload', '--data', ''));
    await eventually(() => expect(waiting).toHaveLength(3));
    const answers = await Promise.all(Array.from({ length: 10 }, () => curl(path, '/status')));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));

    for (const resolve of waiting) {
      resolve(reportOf('applied'));
    }

    expect((await Promise.all(reloads)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('are sent away where they are too many, and welcome when there is room again', async () => {
    const { path } = await serve({ limits: { connections: 4 } });
    const clients = Array.from({ length: 4 }, () => sayBytes(path));
    await Promise.all(clients.map(({ socket }) => once(socket, 'connect')));
    await eventually(async () => {
      await sayBytes(path, getStatus).closed;
      await expect(curl(path, '/status')).rejects.toThrow('curl');
    });

    for (const { socket } of clients) {
      socket.destroy();
    }

    await eventually(async () => expect((await curl(path, '/status')).status).toBe(200));
  });
});

describe('A client that', () => {
  test('says nothing is sent away after its time', async () => {
    const { path } = await serve({ limits: { headersMs: 50, requestMs: 60_000 } });
    const silent = sayBytes(path);
    const slow = sayBytes(path, 'GET /status HTT');
    await Promise.all([silent.closed, slow.closed]);
    expect((await curl(path, '/status')).status).toBe(200);
  });

  test('does not send the body that it has announced leads to no reload', async () => {
    let reloads = 0;
    const { path } = await serve({
      limits: { headersMs: 50, requestMs: 50 },
      reload: () => {
        reloads += 1;
        throw new Error('nobody has asked for it');
      },
    });
    const head = 'POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n';
    const [slow, gone] = [sayBytes(path, `${head}1234`), sayBytes(path, `${head}1`)];
    gone.socket.end();
    await Promise.all([slow.closed, gone.closed]);
    expect(slow.output.text()).toMatch(/^HTTP\/1\.1 408/);
    expect(reloads).toBe(0);
  });

  test('sends too large a body gets 413 and no reload', async () => {
    let reloads = 0;
    const { path } = await serve({
      limits: { bodyBytes: 1000 },
      reload: () => {
        reloads += 1;
        return Promise.resolve(reportOf('applied'));
      },
    });
    const post = (sizeBytes: number, ...more: string[]) =>
      curl(path, '/reload', '--data', 'a'.repeat(sizeBytes), ...more);
    expect((await post(1001)).status).toBe(413);
    expect((await post(1001, '--header', 'Transfer-Encoding: chunked')).status).toBe(413);
    expect(reloads).toBe(0);
    expect((await post(1000)).status).toBe(200);
  });

  test('sends too large a head gets 431, and one that speaks no HTTP 400', async () => {
    const { path } = await serve();
    const large = sayBytes(
      path,
      `GET /status HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(10_000)}\r\n\r\n`,
    );
    const garbage = sayBytes(path, Buffer.from([0x16, 3, 1, 0, 0xff, 0, 13, 10]));
    await Promise.all([large.closed, garbage.closed]);
    expect(large.output.text()).toMatch(/^HTTP\/1\.1 431/);
    expect(garbage.output.text()).toMatch(/^HTTP\/1\.1 400/);
    expect((await curl(path, '/status')).status).toBe(200);
  });

  test('sends many requests on one connection gets the first one answered, and is let go', async () => {
    let asked = 0;
    const begin = performance.now();
    const { path } = await serve({
      status: () => {
        asked += 1;
        return Promise.resolve(busy);
      },
    });
    const { closed, output } = sayBytes(path, getStatus.repeat(100));
    await closed;
    expect(output.text()).toMatch(/^HTTP\/1\.1 200/);
    expect(asked).toBe(1);
    // At once, and not when node:http would have had enough of waiting for more, after 5 s.
    expect(performance.now() - begin).toBeLessThan(4000);
  });

  test('never reads does not keep its connection, nor the text that waits for it', async () => {
    const text = 'a'.repeat(2 ** 23);
    const { path } = await serve({ ist: () => text, limits: { answerMs: 100, connections: 1 } });
    const deaf = connect(path);
    deaf.on('error', () => undefined);
    deaf.pause();
    deaf.write('GET /ist HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(async () => expect((await curl(path, '/ist')).text).toHaveLength(2 ** 23));
    const { closed, output } = collectFrom(deaf);
    await closed;
    expect(output.text().length).toBeLessThan(2 ** 23);
  });

  test('does not read does not hold up the others', async () => {
    const { path } = await serve({ ist: () => 'a'.repeat(2 ** 23) });
    const deaf = connect(path);
    onTestFinished(() => void deaf.destroy());
    deaf.pause();
    deaf.write('GET /ist HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(deaf, 'connect');
    expect((await curl(path, '/status')).status).toBe(200);
    expect((await curl(path, '/ist')).text).toHaveLength(2 ** 23);
  });

  test('does not wait for its reload does not end it', async () => {
    let finish: ((report: ReloadReport) => void) | undefined;
    const { path, problems } = await serve({
      reload: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    const { socket, closed } = sayBytes(
      path,
      'POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    );
    await eventually(() => expect(finish).toBeDefined());
    socket.destroy();
    await closed;
    finish?.(reportOf('applied'));
    expect((await curl(path, '/status')).status).toBe(200);
    expect(problems).toEqual([]);
  });
});

describe('Where init itself fails', () => {
  test('the answer is 500, and the log has the place, and nothing that was met there', async () => {
    const { path, problems } = await serve({
      status: () => Promise.reject(new TypeError('the-secret is no number')),
      ist: () => {
        throw new RangeError('the-secret');
      },
    });
    const answers = [await curl(path, '/status'), await curl(path, '/ist')];
    expect(answers.map(({ status }) => status)).toEqual([500, 500]);
    expect(problems.map(({ code, where }) => [code, where])).toEqual([
      ['W_CONTROL_SOCKET', path],
      ['W_CONTROL_SOCKET', path],
    ]);
    expect(problems[0]?.message).toMatch(/failed with TypeError at .*control-socket\.test\.ts/);
    expect(JSON.stringify([answers, problems])).not.toContain('the-secret');
  });

  test('and PID 1 does not answer it says so in time, also where it answers later', async () => {
    let finish: ((status: typeof busy) => void) | undefined;
    const { path, problems } = await serve({
      limits: { statusMs: 50 },
      status: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    const { status, text } = await curl(path, '/metrics');
    expect([status, JSON.parse(text)]).toEqual([
      503,
      { error: { status: 503, detail: 'PID 1 did not answer within 50 ms' } },
    ]);
    finish?.(busy);
    expect(problems).toEqual([]);
  });
});

describe('At its path', () => {
  test('the socket of a predecessor that was killed is replaced', async () => {
    const path = await deadSocketPath();
    const { problems } = await serve({ path });
    expect(problems).toEqual([]);
    expect((await curl(path, '/status')).status).toBe(200);
    expect((lstatSync(path).mode & 0o777).toString(8)).toBe('600');
  });

  test('what a predecessor left half made is removed, and nothing else', async () => {
    const directory = stateDirectory();
    mkdirSync(join(directory, '.ctlabcdef'));
    mkdirSync(join(directory, '.ctlABCDEF'));
    renameSync(await deadSocketPath(), join(directory, '.ctlABCDEF/s'));
    mkdirSync(join(directory, '.ctlfile01'));
    writeFileSync(join(directory, '.ctlfile01/s'), 'not ours');
    mkdirSync(join(directory, '.ctlabcdefg'));
    writeFileSync(join(directory, '.ctl123456'), 'not ours');
    const { problems } = await serve({ path: join(directory, 'control.sock') });
    expect(problems).toEqual([]);
    expect(readdirSync(directory).toSorted()).toEqual([
      '.ctl123456',
      '.ctlabcdefg',
      '.ctlfile01',
      'control.sock',
    ]);
    expect(readFileSync(join(directory, '.ctlfile01/s'), 'utf8')).toBe('not ours');
  });

  test('somebody who listens is not replaced', async () => {
    const first = await serve({ ist: () => 'first' });
    const second = await serve({ path: first.path, ist: () => 'second' });
    expect(second.problems).toMatchObject([
      {
        code: 'W_CONTROL_SOCKET',
        where: first.path,
        message: `Cannot listen on ${first.path}: another process listens on it. The commands status, reload and health do not find this init; all else works`,
      },
    ]);
    second.close();
    expect((await curl(first.path, '/ist')).text).toBe('first');
  });

  test.each<[string, (path: string) => void, (path: string) => void]>([
    [
      'a file',
      (path) => writeFileSync(path, 'not ours'),
      (path) => expect(readFileSync(path, 'utf8')).toBe('not ours'),
    ],
    [
      'a directory',
      (path) => mkdirSync(path),
      (path) => expect(lstatSync(path).isDirectory()).toBe(true),
    ],
    [
      'a symbolic link, to whatever it leads,',
      (path) => symlinkSync('/dev/null', path),
      (path) => expect(readlinkSync(path)).toBe('/dev/null'),
    ],
    [
      'a symbolic link that leads nowhere',
      (path) => symlinkSync(`${path}.target`, path),
      (path) =>
        expect([readlinkSync(path), existsSync(`${path}.target`)]).toEqual([
          `${path}.target`,
          false,
        ]),
    ],
  ])('%s stays', async (_what, make, check) => {
    const path = join(stateDirectory(), 'control.sock');
    make(path);
    const { problems, close } = await serve({ path });
    expect(problems).toMatchObject([
      { code: 'W_CONTROL_SOCKET', message: expect.stringContaining('a file that is not a socket') },
    ]);
    close();
    check(path);
  });

  test('there is a socket again where somebody has removed it, each time', async () => {
    const { path, problems, close } = await serve({ limits: { retryMs: 20 } });
    for (let times = 0; times < 2; times += 1) {
      rmSync(path);
      await eventually(async () => expect(await curl(path, '/ist')).toMatchObject({ status: 200 }));
    }

    expect(problems).toEqual([]);
    close();
    expect(existsSync(path)).toBe(false);
  });

  test('who waited for a reload when somebody removed it is answered, but not beyond its end', async () => {
    const waiting: ((report: ReloadReport) => void)[] = [];
    const { path, close } = await serve({
      limits: { retryMs: 20 },
      reload: () => new Promise((resolve) => waiting.push(resolve)),
    });
    const answers = [1, 2].map(() => curl(path, '/reload', '--data', ''));
    await eventually(() => expect(waiting).toHaveLength(2));
    rmSync(path);
    await eventually(async () => expect(await curl(path, '/ist')).toMatchObject({ status: 200 }));
    waiting[0]?.(reportOf('applied'));
    expect(await Promise.any(answers)).toMatchObject({ status: 200 });
    close();
    await expect(Promise.all(answers)).rejects.toThrow('Empty reply');
  });

  test('there is nothing any more when it is closed, unless a successor has taken the place', async () => {
    const first = await serve({ ist: () => 'first' });
    rmSync(first.path);
    const second = await serve({ path: first.path, ist: () => 'second' });
    first.close();
    expect((await curl(first.path, '/ist')).text).toBe('second');
    second.close();
    expect(existsSync(first.path)).toBe(false);
    second.close();
  });

  test.each([
    [
      'that is too long',
      `/tmp/${'a'.repeat(100)}/control.sock`,
      /its path has 118 bytes, the limit is 107\./,
    ],
    ['in a directory that is not there', '/tmp/there-is-none/control.sock', /ENOENT/],
    ['below a file', '/dev/null/control.sock', /ENOTDIR/],
  ])('%s nothing is listened on, and that is told', async (_which, path, reason) => {
    const { problems, close } = await serve({ path });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(reason);
    close();
  });

  test('it listens as soon as nobody else does, and says once that somebody did', async () => {
    const path = join(stateDirectory(), 'control.sock');
    let attempts = 0;
    const other = createServer((socket) => {
      attempts += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => {
      other.listen(path, resolve);
    });
    const { problems } = await serve({ path, limits: { retryMs: 2 } });
    await eventually(() => expect(attempts).toBeGreaterThan(3));
    other.close();
    await eventually(async () => expect((await curl(path, '/status')).status).toBe(200));
    expect(problems).toHaveLength(1);
  });

  test('of the greatest length that a socket can have, it listens', async () => {
    const base = stateDirectory();
    const directory = join(base, 'a'.repeat(107 - base.length - '//control.sock'.length));
    mkdirSync(directory);
    const path = join(directory, 'control.sock');
    expect(Buffer.byteLength(path)).toBe(107);
    const { problems } = await serve({ path });
    expect(problems).toEqual([]);
    expect((await curl(path, '/status')).status).toBe(200);
  });
});

describe('The process', () => {
  const program = new URL('serve-control.ts', import.meta.url).pathname;

  test('is kept alive by no client: not by a silent one, and not by one that waits for a reload', async () => {
    const path = join(stateDirectory(), 'control.sock');
    const { ended, stdout, child } = startProcess(process.execPath, [
      '--import',
      'tsx',
      program,
      path,
    ]);
    await stdout.waitFor('listening');
    const silent = sayBytes(path);
    await once(silent.socket, 'connect');
    sayBytes(path, 'POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    await stdout.waitFor('reload');
    child.stdin?.end();
    expect(await ended).toBe(0);
  });

  test('survives that it has no descriptor left, and answers again afterwards', async () => {
    const path = join(stateDirectory(), 'control.sock');
    const { stdout, child, ended } = startProcess('sh', [
      '-c',
      'ulimit -n 64; exec "$@"',
      'sh',
      process.execPath,
      '--import',
      'tsx',
      program,
      path,
      'all descriptors',
    ]);
    await stdout.waitFor('greedy');
    const clients = Array.from({ length: 20 }, () => sayBytes(path, getStatus));
    await Promise.all(clients.map(({ closed }) => closed));
    child.stdin?.write('free\n');
    await stdout.waitFor('freed');
    expect((await curl(path, '/status')).status).toBe(200);
    child.stdin?.end();
    expect(await ended).toBe(0);
  });

  test('goes on where not even a connection can be refused, and answers it when there is a descriptor', async () => {
    const path = join(stateDirectory(), 'control.sock');
    const args = ['--import', 'tsx', program, path];
    const { pid, stdout, child, ended } = startProcess(process.execPath, args);
    await stdout.waitFor('listening');
    limitDescriptors(pid, '3:');
    const client = sayBytes(path, getStatus);
    await once(client.socket, 'connect');
    child.stdin?.write('are you there?\n');
    await stdout.waitFor('freed');
    limitDescriptors(pid, '100:');
    await client.output.waitFor(/^HTTP\/1\.1 200/);
    expect(stdout.text()).not.toContain('Cannot');
    child.stdin?.end();
    expect(await ended).toBe(0);
  });
});

function limitDescriptors(pid: number, limit: string): void {
  expect(spawnSync('prlimit', ['--pid', String(pid), `--nofile=${limit}`]).status).toBe(0);
}
