// One request to the control socket and its answer, within limits.
import type { IncomingMessage, ServerResponse } from 'node:http';

import {
  type AnswerDeadline,
  type ControlAnswer,
  type Operations,
  answer,
  describeFailure,
} from './control-answers.ts';

export type ControlLimits = AnswerDeadline & {
  readonly connections: number;
  /** From the connection to the end of the head. */
  readonly headersMs: number;
  /** To the end of the body. */
  readonly requestMs: number;
  /** From the answer to its last byte. */
  readonly answerMs: number;
  /** Until another attempt to listen. */
  readonly retryMs: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
};

/** More than a few scrapers and people need. */
export const usualLimits: ControlLimits = {
  statusMs: 2500,
  connections: 32,
  headersMs: 5000,
  requestMs: 10_000,
  answerMs: 10_000,
  retryMs: 30_000,
  headerBytes: 8192,
  bodyBytes: 65_536,
};

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly operations: Operations;
  readonly limits: ControlLimits;
};

/** Rejects with what an operation has thrown; the client has its answer. */
export async function exchange(given: Exchange): Promise<void> {
  const { request, operations, limits } = given;
  switch (await readBody(request, limits.bodyBytes)) {
    case 'aborted':
      return;
    case 'too-large':
      send(given, describeFailure(413, `A body may have ${limits.bodyBytes} bytes at most`));
      return;
    case 'read': {
      const { method = '', url = '' } = request;
      try {
        send(given, await answer({ method, url }, operations, limits));
      } catch (error) {
        send(given, describeFailure(500, 'warp-init itself failed; its log says where'));
        throw error;
      }
    }
  }
}

/** Nobody reads it: no request here has anything to say in its body. */
function readBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<'read' | 'too-large' | 'aborted'> {
  return new Promise((resolve) => {
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) {
        resolve('too-large');
      }
    });
    request.on('end', () => resolve('read'));
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}

function send({ response, limits }: Exchange, { status, contentType, text, allow }: ControlAnswer) {
  if (response.destroyed) {
    return; // The client has not waited.
  }

  // A client that does not read must not keep the text, nor its connection.
  const timer = setTimeout(() => response.destroy(), limits.answerMs).unref();
  response.on('close', () => clearTimeout(timer));
  response.on('error', () => undefined);
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    Connection: 'close',
    ...(allow !== undefined && { Allow: allow }),
  });
  response.end(text);
}
