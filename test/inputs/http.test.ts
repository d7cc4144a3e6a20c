import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';

import { createHttpClient } from '../../src/inputs/http.ts';
import type { HttpClient } from '../../src/inputs/http.ts';
import { createAnswerReader, headLimitBytes } from '../../src/inputs/http-answer.ts';
import type { ReadStep } from '../../src/inputs/http-step.ts';
import {
  deadSocketPath,
  serveBytes,
  serveHttp,
  serveOnce,
  temporarySocketPath,
} from './socket-server.ts';

const limits = { deadlineMs: 5000, maxBytes: 1024 * 1024 };

function readAll(
  pieces: readonly Buffer[],
  maxBytes = limits.maxBytes,
  onPart?: (bytes: Buffer) => void,
): ReadStep {
  const reader = createAnswerReader(maxBytes, onPart);
  for (const piece of pieces) {
    const step = reader.push(piece);
    if (step.kind !== 'more') {
      return step;
    }
  }

  return reader.end();
}

function outcome(step: ReadStep): string {
  return step.kind === 'answer'
    ? `${step.answer.status} ${step.answer.body.toString('latin1')}`
    : step.kind === 'failed'
      ? `failed ${step.reason}`
      : 'more';
}

function readText(text: string): string {
  return outcome(readAll([Buffer.from(text, 'latin1')]));
}

describe('an answer is read', () => {
  test.each([
    ['counted', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', '200 hello'],
    [
      'counted, name in other case',
      'HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh:5\r\n\r\nhello',
      '200 hello',
    ],
    ['counted twice alike', 'HTTP/1.1 200 \r\nContent-Length: 2, 2\r\n\r\nhi', '200 hi'],
    ['counted, empty', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '200 '],
    [
      'chunked',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
      '200 hello',
    ],
    [
      'chunked, with extensions and trailers',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n00A;x="y"\r\n0123456789\r\n0 ;z\r\nExpires: never\r\nX: y\r\n\r\n',
      '200 0123456789',
    ],
    ['until the connection ends', 'HTTP/1.1 500 Oh no\r\n\r\nhel\r\nlo', '500 hel\r\nlo'],
    ['from HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhello', '200 hello'],
    [
      'after interim answers',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
      '200 hi',
    ],
    ['204 without a body', 'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n', '204 '],
    ['304 without a body', 'HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n', '304 '],
  ])('%s', (_form, text, expected) => {
    expect(readText(text)).toBe(expected);
  });
});

describe('an answer is refused', () => {
  test.each([
    [
      'two lengths that differ',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!',
    ],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a length with a sign', 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n'],
    [
      'a chunk with a size like 0x1',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n',
    ],
    [
      'a chunk that is longer than its size',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
    ],
    ['a folded header', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi'],
    ['a line feed alone as a line end', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nhi'],
    ['a carriage return in a field', 'HTTP/1.1 200 OK\r\nA: b\rContent-Length: 1\r\n\r\nx'],
    [
      'a trailer that is no field',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n\r\n',
    ],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ])('%s', (_why, text) => {
    expect(readText(text)).toBe('failed malformed');
  });

  test.each([
    ['in the status line', 'HTTP/1.1 20'],
    ['in the head', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'],
    ['in a counted body', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n'],
    [
      'before the trailers end',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n',
    ],
    ['before it began', ''],
  ])('cut %s', (_where, text) => {
    expect(readText(text)).toBe('failed truncated');
  });

  test.each([
    ['counted', (n: number) => `Content-Length: ${n}\r\n\r\n${'x'.repeat(n)}`],
    [
      'chunked',
      (n: number) => `Transfer-Encoding: chunked\r\n\r\n${`1\r\nx\r\n`.repeat(n)}0\r\n\r\n`,
    ],
    ['until close', (n: number) => `\r\n${'x'.repeat(n)}`],
  ])('a body above its limit, %s: 100 bytes are taken, 101 are not', (_form, rest) => {
    const bytes = (n: number) => [Buffer.from(`HTTP/1.1 200 OK\r\n${rest(n)}`)];
    expect(readAll(bytes(100), 100).kind).toBe('answer');
    expect(outcome(readAll(bytes(101), 100))).toBe('failed too-large');
  });

  test('a head above 64 KiB, however it is divided into lines and interim answers', () => {
    const line = `A: ${'b'.repeat(95)}\r\n`;
    const head = (n: number) => `HTTP/1.1 200 OK\r\n${line.repeat(n)}Content-Length: 0\r\n\r\n`;
    expect(readText(head(650))).toBe('200 ');
    expect(readText(head(660))).toBe('failed malformed');
    expect(readText(`HTTP/1.1 200 OK\r\nA: ${'b'.repeat(headLimitBytes)}\r\n\r\n`)).toBe(
      'failed malformed',
    );
    expect(readText('HTTP/1.1 100 Continue\r\n\r\n'.repeat(3000))).toBe('failed malformed');
  });
});

function format(answer: {
  interim: string;
  status: number;
  extra: string;
  form: string;
  chunks: readonly number[];
  trailers: string;
  body: string;
}): Buffer {
  const head = `${answer.interim}HTTP/1.1 ${answer.status} Why\r\n${answer.extra}`;
  if (answer.form === 'counted') {
    return Buffer.from(
      `${head}Content-Length: ${answer.body.length}\r\n\r\n${answer.body}`,
      'latin1',
    );
  }

  if (answer.form === 'until-close') {
    return Buffer.from(`${head}\r\n${answer.body}`, 'latin1');
  }

  let [rest, chunks] = [answer.body, ''];
  for (const size of [...answer.chunks, rest.length]) {
    const part = rest.slice(0, size);
    rest = rest.slice(size);
    chunks += part === '' ? '' : `${part.length.toString(16)};e\r\n${part}\r\n`;
  }

  return Buffer.from(
    `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n${answer.trailers}\r\n`,
    'latin1',
  );
}

function tear(wire: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [...new Set(places.map((place) => place % (wire.length + 1)))].toSorted(
    (a, b) => a - b,
  );
  return [0, ...cuts].map((from, index) => wire.subarray(from, [...cuts, wire.length][index]));
}

describe('for every answer', () => {
  const body = fc.string({
    unit: fc.constantFrom('a', '\r', '\n', '0', ';', '\r\n0\r\n\r\n', '\u00e9'),
    maxLength: 40,
  });
  const text = fc
    .record({
      interim: fc.constantFrom('', 'HTTP/1.1 100 Continue\r\n\r\n'),
      status: fc.constantFrom(200, 404, 503),
      extra: fc.constantFrom('', 'X-A: b\r\n', 'content-type: application/json\r\nDate: today\r\n'),
      form: fc.constantFrom('counted', 'chunked', 'until-close'),
      chunks: fc.array(fc.integer({ min: 1, max: 9 })),
      trailers: fc.constantFrom('', 'X-T: u\r\n'),
      body,
    })
    .map((answer) => ({ answer, wire: format(answer) }));

  test('it is the same wherever it is torn', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(500)), ({ answer, wire }, places) => {
        const expected = `${answer.status} ${answer.body}`;
        expect(outcome(readAll([wire]))).toBe(expected);
        expect(outcome(readAll(tear(wire, places)))).toBe(expected);
        expect(outcome(readAll(Array.from(wire, (byte) => Buffer.of(byte))))).toBe(expected);
      }),
    );
  });

  test('its body can be had part by part, where it is a success', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(500)), ({ answer, wire }, places) => {
        let parts = '';
        const step = readAll(tear(wire, places), limits.maxBytes, (bytes) => {
          parts += bytes.toString('latin1');
        });
        const isSuccess = answer.status === 200;
        expect(parts).toBe(isSuccess ? answer.body : '');
        expect(outcome(step)).toBe(`${answer.status} ${isSuccess ? '' : answer.body}`);
        expect(step).toMatchObject({ answer: { bodyBytes: answer.body.length } });
      }),
    );
  });

  test('no beginning of a framed one is taken for the whole', () => {
    const framed = text.filter(({ answer }) => answer.form !== 'until-close');
    fc.assert(
      fc.property(framed, fc.nat(), ({ wire }, place) => {
        const cut = wire.subarray(0, place % wire.length);
        expect(outcome(readAll([cut]))).toBe('failed truncated');
      }),
    );
  });

  test('garbage ends in a result and never throws', () => {
    const words = fc.constantFrom(
      'HTTP/1.1 200 OK',
      '\r\n',
      '\r',
      '\n',
      ':',
      ' ',
      'Content-Length: ',
      'Transfer-Encoding: chunked',
      '0',
      '5',
      'ffffffffffff',
      ';',
      '\0',
      'HTTP/1.1 100 Go',
      'Connection: close',
    );
    const noise = fc.oneof(
      fc.array(words, { maxLength: 30 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 5 }), (pieces) => {
        expect(['answer', 'failed']).toContain(readAll(pieces).kind);
      }),
      { numRuns: 2000 },
    );
  });
});

function clientOf(socketPath: string, token: string | undefined = 'token'): HttpClient {
  const client = createHttpClient({ socketPath, token });
  onTestFinished(() => client.close());
  return client;
}

async function get(client: HttpClient, path = '/', more = {}): Promise<string> {
  const result = await client.get(path, { ...limits, ...more });
  return result.kind === 'answer'
    ? `${result.answer.status} ${result.answer.body.toString()}`
    : result.reason;
}

describe('over a socket', () => {
  test('a request carries path, host and token', async () => {
    const path = await serveHttp((url, { headers }) => ({
      body: [url, headers.host, headers['x-cycle-token']],
    }));
    expect(await get(clientOf(path), '/v1/hub')).toBe('200 ["/v1/hub","localhost","token"]');
  });

  test('without a token there is no header for it', async () => {
    const path = await serveHttp((_url, { headers }) => ({
      body: Object.keys(headers).toSorted(),
    }));
    const client = createHttpClient({ socketPath: path, token: undefined });
    onTestFinished(() => client.close());
    expect(await get(client)).toBe('200 ["accept","host"]');
  });

  test('requests one after the other share a connection, requests at once do not', async () => {
    let connections = 0;
    const path = await serveBytes((socket) => {
      connections += 1;
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    });
    const client = clientOf(path);
    await get(client);
    await get(client);
    expect(connections).toBe(1);
    expect(await Promise.all([get(client), get(client), get(client)])).toEqual([
      '200 hi',
      '200 hi',
      '200 hi',
    ]);
    expect(connections).toBe(3);
  });

  test('an answer that closes its connection is not followed by a request on it', async () => {
    let connections = 0;
    const path = await serveBytes((socket) => {
      connections += 1;
      socket.on('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nhi'),
      );
    });
    const client = clientOf(path);
    await get(client);
    await get(client);
    expect(connections).toBe(2);
  });

  test('bytes that nobody asked for do not become the next answer', async () => {
    let connections = 0;
    const path = await serveBytes((socket) => {
      connections += 1;
      const own = connections;
      socket.on('data', () => {
        const head = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n';
        socket.write(`${head}${own}${own === 1 ? `${head}X` : ''}`);
      });
    });
    const client = clientOf(path);
    expect([await get(client), await get(client)]).toEqual(['200 1', '200 2']);
  });

  test('a kept connection that the server closes on the next request is replaced, once', async () => {
    let connections = 0;
    const path = await serveBytes((socket) => {
      connections += 1;
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        if (requests > 1) {
          socket.destroy();
        } else {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
        }
      });
    });
    const client = clientOf(path);
    expect([await get(client), await get(client), await get(client)]).toEqual([
      '200 hi',
      '200 hi',
      '200 hi',
    ]);
    expect(connections).toBe(3);
  });

  test('a new connection that is closed without an answer is a failure, not a repetition', async () => {
    let connections = 0;
    const path = await serveBytes((socket) => {
      connections += 1;
      socket.once('data', () => socket.end());
    });
    expect(await get(clientOf(path))).toBe('truncated');
    expect(connections).toBe(1);
  });

  test('an answer that breaks off on a kept connection is a failure: it may have had an effect', async () => {
    const path = await serveBytes((socket) => {
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        if (requests > 1) {
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi');
        } else {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
        }
      });
    });
    const client = clientOf(path);
    expect([await get(client), await get(client)]).toEqual(['200 hi', 'truncated']);
  });

  test('no socket file, nobody listening and a socket that never answers are told apart', async () => {
    const silent = await serveBytes(() => undefined);
    expect(await get(clientOf(temporarySocketPath()))).toBe('no-socket');
    expect(await get(clientOf(await deadSocketPath()))).toBe('refused');
    expect(await get(clientOf(silent), '/', { deadlineMs: 50 })).toBe('silent');
  });

  test('a path that no socket can have is a failure, not an exception', async () => {
    expect(await get(clientOf(`/tmp/${'x'.repeat(300)}`))).not.toContain('200');
  });

  test('a server that sends a byte now and then is held to the deadline of the whole request', async () => {
    const path = await serveBytes((socket) => {
      const timer = setInterval(() => socket.write('H'), 10);
      socket.on('close', () => clearInterval(timer));
      socket.write('HTTP/1.1 200 OK\r\nX: ');
    });
    expect(await get(clientOf(path), '/', { deadlineMs: 100 })).toBe('silent');
  });

  test('closing ends what is under way and refuses what follows', async () => {
    const path = await serveBytes(() => undefined);
    const client = clientOf(path);
    const pending = get(client);
    client.close();
    expect([await pending, await get(client)]).toEqual(['aborted', 'aborted']);
  });

  test('what is given up before it has left does not leave, and closing leaves no connection', async () => {
    const seen: string[] = [];
    const ended: Promise<void>[] = [];
    const path = await serveBytes((socket) => {
      ended.push(new Promise((resolve) => socket.on('close', () => resolve())));
      socket.on('data', (bytes: Buffer) => {
        seen.push(bytes.toString('latin1').split(' ')[1] ?? '');
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      socket.on('end', () => socket.end());
    });
    const givenUp = clientOf(path);
    const pending = get(givenUp, '/secret');
    givenUp.close();
    expect(await pending).toBe('aborted');

    const client = clientOf(path);
    await Promise.all([get(client, '/a'), get(client, '/b')]);
    client.close(); // Both connections are idle.
    await Promise.all(ended);
    expect(seen.toSorted()).toEqual(['/a', '/b']);
    expect(ended).toHaveLength(3);
  });

  test('a body of 16 MiB arrives whole, counted and chunked, and one of 40 MiB is refused', async () => {
    const body = Buffer.alloc(16 * 1024 * 1024, 'abcdefg');
    const path = await serveHttp((url, _request, response) => {
      if (url === '/counted') {
        response.setHeader('content-length', body.length);
      }

      response.write(body.subarray(0, 1_000_003));
      response.end(body.subarray(1_000_003));
      return undefined;
    });
    const client = clientOf(path);
    for (const url of ['/counted', '/chunked']) {
      const result = await client.get(url, { deadlineMs: 10_000, maxBytes: 32 * 1024 * 1024 });
      expect(result.kind === 'answer' && result.answer.body.equals(body)).toBe(true);
    }

    const huge = await serveOnce(`HTTP/1.1 200 OK\r\nContent-Length: ${40 * 1024 * 1024}\r\n\r\n`);
    expect(await get(clientOf(huge), '/', { maxBytes: 32 * 1024 * 1024 })).toBe('too-large');
  });
});
