// From a request to its answer, or to what a fault makes of it.
import { ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from './api.ts';
import type { FaultPlayer } from './fault-player.ts';
import { garbageAnswers } from './garbage.ts';
import type { Pipeline } from './pipeline.ts';
import { pipelinePath } from './pipeline.ts';
import type { RequestLog } from './request-log.ts';
import { faultResponse } from './respond.ts';
import type { ApiRequest, ApiResponse } from './respond.ts';

export type Answering = {
  readonly api: Api;
  readonly faults: FaultPlayer;
  readonly log: RequestLog;
  readonly pipeline: Pipeline;
};

/** Answers the requests of `server`, and lets listeners into the pipeline. */
export function answerRequests(server: Server, parts: Answering): void {
  server.on('connection', (socket: Socket) => {
    if (parts.faults.faults.isRefused) socket.destroy();
  });
  server.on('request', (request, response) => {
    request.resume();
    void answer(parts, request, response);
  });
  server.on('upgrade', (request, stream, head) => {
    void upgrade(parts, { request, stream, head });
  });
}

async function answer(
  parts: Answering,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = requestOf(request);
  if (await isLeftAlone(parts, request)) return;
  send(parts, response, planAnswer(parts, asked));
}

type Upgrade = {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  readonly head: Buffer;
};

async function upgrade(parts: Answering, { request, stream, head }: Upgrade): Promise<void> {
  if (await isLeftAlone(parts, request)) {
    stream.resume(); // Reads on; node:http does not do it for a connection that it has given away.
    return;
  }
  const asked = requestOf(request);
  const isListener =
    asked.token === parts.api.token &&
    asked.target.split('?')[0] === pipelinePath &&
    request.headers.upgrade?.toLowerCase() === 'websocket';
  const fault = isListener ? faultFor(parts) : undefined;
  if (isListener && fault === undefined) {
    parts.log.add({ method: asked.method, path: asked.target, status: 101 });
    parts.pipeline.accept(request, stream, head);
    return;
  }
  // A connection that stays what it was: the request is answered as if it had asked for nothing special.
  if (!(stream instanceof Socket)) throw new TypeError('the stream of an upgrade is no socket');
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(stream);
  response.on('finish', () => stream.end());
  send(parts, response, fault ?? planAnswer(parts, asked));
}

/** Waits for as long as the latency says. True where the peer gets no answer or is gone. */
async function isLeftAlone({ faults, log }: Answering, request: IncomingMessage): Promise<boolean> {
  if (faults.faults.isRefused) request.socket.destroy();
  const isHopeless = faults.faults.isRefused || faults.faults.isHalfOpen;
  const latencyMs = isHopeless ? 0 : faults.nextLatencyMs();
  // Not kept alive for this: the socket does that for as long as there is somebody to answer.
  if (latencyMs > 0) await wait(latencyMs, undefined, { ref: false });
  const isLeft = isHopeless || request.socket.destroyed;
  if (isLeft) log.add({ method: request.method ?? '', path: request.url ?? '', status: 0 });
  return isLeft;
}

function planAnswer(parts: Answering, asked: ApiRequest): ApiResponse {
  return faultFor(parts) ?? parts.api.respond(asked);
}

/** An answer that is a fault; before anything was served, so that nothing is used up by it. */
function faultFor({ faults }: Answering): ApiResponse | undefined {
  if (faults.isHit(faults.faults.errorRate)) return faultResponse('500.unknown');
  return faults.faults.isUnauthorized ? faultResponse('401.auth-invalid') : undefined;
}

function send(
  { faults, log }: Answering,
  response: ServerResponse,
  { status, body }: ApiResponse,
): void {
  const { method = '', url = '' } = response.req;
  log.add({ method, path: url, status });
  if (faults.isHit(faults.faults.garbageRate)) {
    const { socket } = response;
    socket?.end(faults.pick(garbageAnswers), () => socket.destroy());
    return;
  }
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  if (faults.isHit(faults.faults.cutRate)) {
    const half = body.subarray(0, Math.floor(body.length / 2));
    response.write(half, () => response.socket?.destroy());
    return;
  }
  response.end(body);
}

function requestOf(request: IncomingMessage): ApiRequest {
  const token = request.headers['x-cycle-token'];
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    token: typeof token === 'string' ? token : undefined,
  };
}
