/** Where the platform mounts its internal API. */
export const defaultSocketPath = '/var/run/cycle/api/api.sock';
