// One request to the internal API, one response. Pure: what changes is returned as the next state.
//
// Error codes and statuses are those of the published schema `Error`, which knows no 405: a wrong method is a 404.
import { containerPaths, renderAnswers } from './answers.ts';
import type { Answers, ContainerPath } from './answers.ts';
import type { Platform } from './platform.ts';
import { createSecretStore, serveSecrets } from './secret-store.ts';
import type { SecretStore } from './secret-store.ts';

export type ApiState = {
  readonly token: string;
  readonly answers: Answers;
  readonly secrets: SecretStore;
};

export type ApiRequest = {
  readonly method: string;
  /** The request target as it came: path and query, or absolute. */
  readonly target: string;
  /** X-CYCLE-TOKEN. */
  readonly token: string | undefined;
};

export type ApiResponse = { readonly status: 200 | 401 | 404 | 500; readonly body: Buffer };

const secretsPath = '/v1/environment/scoped-variables';

/** @param earlier - The state before the platform changed: secrets that stay the same keep their age. */
export function createState(platform: Platform, nowMs: number, earlier?: ApiState): ApiState {
  return {
    token: earlier?.token ?? platform.token,
    answers: renderAnswers(platform),
    secrets: createSecretStore(platform.secrets, nowMs, earlier?.secrets),
  };
}

export function respond(
  state: ApiState,
  request: ApiRequest,
  nowMs: number,
): readonly [response: ApiResponse, next: ApiState] {
  if (request.token !== state.token) return [unauthorized(request.token), state];
  const url = parseTarget(request.target);
  if (request.method === 'GET' && url?.pathname === secretsPath) {
    const { body, store } = serveSecrets(state.secrets, nowMs);
    return [
      { status: 200, body },
      { ...state, secrets: store },
    ];
  }
  const body = url && state.answers.bodies.get(url.pathname);
  if (request.method !== 'GET' || url === undefined || body === undefined) {
    return [unknownUri(request), state];
  }
  return [answerFor(state.answers, url, body), state];
}

function answerFor(answers: Answers, url: URL, body: Buffer): ApiResponse {
  const containerId = url.searchParams.get('container-id');
  if (containerId === null || !isContainerPath(url.pathname)) return { status: 200, body };
  const other = answers.findBody(url.pathname, containerId);
  if (other) return { status: 200, body: other };
  return errorResponse(
    '404.container',
    'Container not found',
    `No container has the id ${containerId}.`,
  );
}

/** The envelope of an error that is the platform's own fault, or that it says is ours. */
export function faultResponse(code: '401.auth-invalid' | '500.unknown'): ApiResponse {
  return code === '500.unknown'
    ? errorResponse(code, 'Internal error', 'Something went wrong, on demand.')
    : errorResponse(code, 'Invalid authentication', 'The token is no longer valid.');
}

function unauthorized(token: string | undefined): ApiResponse {
  const detail =
    token === undefined ? 'The header X-CYCLE-TOKEN is missing.' : 'The token is not valid.';
  return errorResponse('401.auth-invalid', 'Invalid authentication', detail);
}

function unknownUri({ method, target }: ApiRequest): ApiResponse {
  return errorResponse('404.uri', 'Not found', `Nothing answers to ${method} ${target} here.`);
}

function errorResponse(code: ErrorCode, title: string, detail: string): ApiResponse {
  const status = statuses[code];
  return {
    status,
    body: Buffer.from(JSON.stringify({ error: { status, code, title, detail }, data: null })),
  };
}

const statuses = {
  '401.auth-invalid': 401,
  '404.uri': 404,
  '404.container': 404,
  '500.unknown': 500,
} as const;

type ErrorCode = keyof typeof statuses;

function isContainerPath(path: string): path is ContainerPath {
  return containerPaths.some((one) => one === path);
}

function parseTarget(target: string): URL | undefined {
  const url = target.startsWith('/') ? `http://localhost${target}` : target;
  return URL.canParse(url) ? new URL(url) : undefined;
}
