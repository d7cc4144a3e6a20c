// The paths of the internal API that are read, each with the check of its answer. Source: DESIGN section 3.
import * as read from './snapshot.ts';

export const endpoints = {
  container: { path: '/v1/container', parse: read.parseContainer },
  containers: { path: '/v1/environment/containers', parseItems: read.containersParser },
  instances: { path: '/v1/environment/instances', parseItems: read.instancesParser },
  environment: { path: '/v1/environment', parse: read.parseNamedThing },
  server: { path: '/v1/server', parse: read.parseServer },
  hub: { path: '/v1/hub', parse: read.parseNamedThing },
  secrets: { path: '/v1/environment/scoped-variables', parse: read.parseScopedVariables },
} as const;
