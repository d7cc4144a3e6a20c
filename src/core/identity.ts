// Who the app is, as variables: WARP_PROJECT, WARP_ENV, WARP_SERVICE, WARP_DEPLOYMENT, WARP_RUNNER, each with _ID, and WARP_PORT.
//
// What the platform did not tell gives no variable: these endpoints may fail without stopping the start.
import type { Variable } from './environment.ts';
import type { Snapshot } from './snapshot.ts';

export type IdentityInput = {
  /** Undefined in standalone mode. */
  readonly snapshot: Snapshot | undefined;
  /** `deployment.port` of the config. */
  readonly port: number | undefined;
};

export function identityVariables({ snapshot, port }: IdentityInput): readonly Variable[] {
  const { hub, environment, self, server } = snapshot ?? {};
  // The platform knows a deployment by its version alone, so that is its name and its id.
  const deployment = self?.deployment;

  return [
    ...variable('WARP_PROJECT', hub?.name, '/v1/hub'),
    ...variable('WARP_PROJECT_ID', hub?.id, '/v1/hub'),
    ...variable('WARP_ENV', environment?.name, '/v1/environment'),
    ...variable('WARP_ENV_ID', environment?.id, '/v1/environment'),
    ...variable('WARP_SERVICE', self?.name, '/v1/container'),
    ...variable('WARP_SERVICE_ID', self?.id, '/v1/container'),
    ...variable('WARP_DEPLOYMENT', deployment, '/v1/container'),
    ...variable('WARP_DEPLOYMENT_ID', deployment, '/v1/container'),
    ...variable('WARP_RUNNER', server?.hostname, '/v1/server'),
    ...variable('WARP_RUNNER_ID', server?.id, '/v1/server'),
    ...variable('WARP_PORT', port?.toString(), 'deployment.port'),
  ];
}

/** None where there is no value, or one that no environment can hold: a name must not stop the start. */
function variable(name: string, value: string | undefined, from: string): readonly Variable[] {
  return value === undefined || value === '' || value.includes('\0')
    ? []
    : [{ name, value, origin: 'identity', from }];
}
