import { describe, expect, test } from 'vitest';
import { identityVariables } from '../../src/core/identity.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';

const self = { id: 'c-1', name: 'web', identifier: 'web-id', deployment: 'v1.2.3' };
const snapshot: Snapshot = {
  self,
  containers: [self],
  instances: [],
  hub: { id: 'h-1', name: 'Acme' },
  environment: { id: 'e-1', name: 'production' },
  server: { id: 's-1', hostname: 'server-7.acme' },
};

function valuesOf(input: Parameters<typeof identityVariables>[0]): Record<string, unknown> {
  return Object.fromEntries(identityVariables(input).map(({ name, value }) => [name, value]));
}

describe('identity', () => {
  test('names hub, environment, container, deployment, server and port', () => {
    expect(valuesOf({ snapshot, port: 8080 })).toEqual({
      WARP_PROJECT: 'Acme',
      WARP_PROJECT_ID: 'h-1',
      WARP_ENV: 'production',
      WARP_ENV_ID: 'e-1',
      WARP_SERVICE: 'web',
      WARP_SERVICE_ID: 'c-1',
      WARP_DEPLOYMENT: 'v1.2.3',
      WARP_DEPLOYMENT_ID: 'v1.2.3',
      WARP_RUNNER: 'server-7.acme',
      WARP_RUNNER_ID: 's-1',
      WARP_PORT: '8080',
    });
  });

  test('says which answer of the platform each variable is from', () => {
    expect(identityVariables({ snapshot, port: undefined })[0]).toEqual({
      name: 'WARP_PROJECT',
      value: 'Acme',
      origin: 'identity',
      from: '/v1/hub',
    });
  });

  test('what the platform did not tell gives no variable', () => {
    const { id, name, identifier } = self;
    const bare = { id, name, identifier };
    const names = Object.keys(
      valuesOf({ snapshot: { self: bare, containers: [bare], instances: [] }, port: undefined }),
    );
    expect(names).toEqual(['WARP_SERVICE', 'WARP_SERVICE_ID']);
  });

  test('without a platform only the port is known', () => {
    expect(valuesOf({ snapshot: undefined, port: 80 })).toEqual({ WARP_PORT: '80' });
  });

  test('a name that no environment can hold is left out', () => {
    const hub = { id: 'h-1', name: 'a\0b' };
    expect(valuesOf({ snapshot: { ...snapshot, hub }, port: undefined })).not.toHaveProperty(
      'WARP_PROJECT',
    );
  });
});
