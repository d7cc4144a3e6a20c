// The environment that we were started with.
//
// pid1 hides NODE_OPTIONS and the like from our own Node by making the first letter of their names unreadable
// (src/pid1/brain.c); a config function that reads process.env, and `debug`, must find them nevertheless.

const hidden = '\u0001ODE_';

/** Gives the hidden variables their names back. Once is enough, but has to be before anything else reads them. */
export function restoreNodeVariables(environment: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith(hidden)) {
      environment[`N${name.slice(1)}`] = value;
      delete environment[name];
    }
  }
}

/** `NAME=value` as pid1 got it. The first of several wins, as for getenv(3). */
export function parseEnvironment(strings: readonly string[]): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const string of strings) {
    const end = string.indexOf('=', 1);
    const name = end === -1 ? string : string.slice(0, end);
    if (end !== -1 && !variables.has(name)) {
      variables.set(name, string.slice(end + 1));
    }
  }

  return variables;
}
