// Answers of the platform in the shapes that it publishes, as small as they can be.

export function containerAnswer(name: string, more: Record<string, unknown> = {}) {
  return {
    id: `c-${name}`,
    name,
    identifier: name,
    deployment: null,
    state: { current: 'running', changed: '2026-01-01T00:00:00Z' },
    image: { id: 'unread' },
    ...more,
  };
}

export function instanceAnswer(name: string, more: Record<string, unknown> = {}) {
  return {
    id: `i-${name}`,
    container_id: `c-${name}`,
    server_id: 's-1',
    hostname: `host-${name}`,
    ready_state: 'active',
    state: {
      current: 'running',
      health: { healthy: true, updated: 'x' },
      readiness: null,
      changed: 'x',
    },
    traffic_drain: null,
    environment: {
      id: 'e-1',
      ipv6: { ip: 'fd00::21:0:0:1', cidr: 'fd00::21:0:0:1/96' },
      legacy: { host: 1, subnet: 1, ipv4: { ip: '172.20.0.3', cidr: '172.20.0.3/16' } },
    },
    ...more,
  };
}

/** A platform with two services, `web` (ourselves) and `db`. */
export function platformAnswers(): Record<string, unknown> {
  return {
    '/v1/container': containerAnswer('web'),
    '/v1/environment/containers': [containerAnswer('web'), containerAnswer('db')],
    '/v1/environment/instances': [instanceAnswer('web'), instanceAnswer('db')],
    '/v1/environment/scoped-variables': { 'database-url': 'postgres://secret' },
    '/v1/environment': { id: 'e-1', name: 'production' },
    '/v1/server': { id: 's-1', hostname: 'server-1' },
    '/v1/hub': { id: 'h-1', name: 'acme' },
    '/v1/containers/certificates': [
      {
        id: 'cert-1',
        domains: ['example.com'],
        private_key: 'PRIVATE',
        bundle: 'x',
        hub_id: 'h-1',
      },
    ],
  };
}

export function errorAnswer(status: number, code: string, title: string, detail?: string) {
  return { error: { status, code, title, ...(detail && { detail }) }, data: null };
}
