// One request to the control socket of a running init, for the commands that ask it.
//
// Loaded by the commands alone: it needs node:http, which `run` must not pay for.
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';

import { failureOf } from './http-result.ts';
import type { HttpFailure } from './http-result.ts';

export type ControlRequest = {
  readonly socketPath: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** To the last byte of the answer. */
  readonly deadlineMs: number;
};

export type ControlResult =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  | HttpFailure;

/** Never rejects. */
export function askControlSocket(asked: ControlRequest): Promise<ControlResult> {
  const { socketPath, method, path, deadlineMs } = asked;
  return new Promise((resolve) => {
    const outgoing = request({
      socketPath,
      method,
      path,
      agent: false,
      // An empty body, so that no server waits for one.
      headers: { Host: 'warp-init', ...(method === 'POST' && { 'Content-Length': '0' }) },
    });
    const timer = setTimeout(() => {
      const detail = `there was no complete answer within ${deadlineMs} ms`;
      end({ kind: 'failed', reason: 'silent', detail });
    }, deadlineMs);
    const end = (result: ControlResult): void => {
      clearTimeout(timer);
      resolve(result);
      outgoing.destroy();
    };
    outgoing.on('response', (answer) => {
      void readAnswer(answer).then(end);
    });
    // Also where it is destroyed: the promise is settled by then.
    outgoing.on('error', (error) => end(failureOf(error, false)));
    outgoing.end();
  });
}

/** As of the platform's answers. */
const maxBytes = 32 * 2 ** 20;

async function readAnswer(answer: IncomingMessage): Promise<ControlResult> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) {
        const detail = `it is larger than ${maxBytes} bytes`;
        return { kind: 'failed', reason: 'too-large', detail };
      }

      chunks.push(chunk);
    }
  } catch (error) {
    return failureOf(error, true);
  }

  const text = Buffer.concat(chunks).toString();
  return { kind: 'answer', status: answer.statusCode ?? 0, text };
}
