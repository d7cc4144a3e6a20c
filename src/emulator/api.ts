// The internal API as a thing with a memory: the platform of the moment, which secrets were served, answers that tests replace.
import type { Platform } from './platform.ts';
import { createState, respond } from './respond.ts';
import type { ApiRequest, ApiResponse, ApiState } from './respond.ts';

export type Api = {
  readonly platform: Platform;
  readonly token: string;
  readonly respond: (request: ApiRequest) => ApiResponse;
  /** The token stays, and so does the age of secrets that stay the same. */
  readonly setPlatform: (platform: Platform) => void;
  /** `data` is what the path answers from now on, whatever the platform has; undefined ends that. */
  readonly setAnswer: (path: string, data: unknown) => void;
};

/** @param token - Overrides the platform's. */
export function createApi(given: Platform, token: string = given.token): Api {
  let platform = given;
  let state: ApiState = { ...createState(platform, Date.now()), token };
  const replaced = new Map<string, Buffer>();
  return {
    get platform() {
      return platform;
    },
    token,
    respond: (request) => {
      const [response, next] = respond(state, request, Date.now());
      state = next;
      const body = replaced.get(request.target.split('?')[0] ?? '');
      return response.status === 401 || body === undefined ? response : { status: 200, body };
    },
    setPlatform: (after) => {
      platform = after;
      state = createState(platform, Date.now(), state);
    },
    setAnswer: (path, data) => {
      if (data === undefined) replaced.delete(path);
      else replaced.set(path, Buffer.from(JSON.stringify({ data })));
    },
  };
}
