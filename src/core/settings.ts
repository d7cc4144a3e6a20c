// What the operator chose, from the command line, WARP_INIT_* and `init` of the config, with every default applied.

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
export type LogFormat = 'json' | 'pretty';

export type Settings = {
  readonly socketPath: string;
  readonly dotenvFiles: readonly string[];
  /** As written; inputs/accounts.ts looks it up. */
  readonly user: string | undefined;
  readonly exec: boolean;
  readonly debug: boolean;
  /** Signal number got to signal number sent; 0 drops. Only the rewritten ones. */
  readonly rewrite: ReadonlyMap<number, number>;
  /** Exit status of the app to exit status of init. Only the replaced ones. */
  readonly exitStatus: ReadonlyMap<number, number>;
  readonly singleChild: boolean;
  /** Undefined: where init is not PID 1. */
  readonly subreaper: boolean | undefined;
  readonly parentDeathSignal: number | undefined;
  /** Signal number that the app gets for a SIGTERM. */
  readonly stopSignal: number | undefined;
  readonly killDelayMs: number | undefined;
  readonly lingerMs: number;
  readonly logLevel: LogLevel;
  /** Undefined: pretty on a terminal, else JSON. */
  readonly logFormat: LogFormat | undefined;
  readonly follow: boolean;
  readonly platform: { readonly required: boolean | undefined; readonly deadlineMs: number };
  readonly ist: {
    readonly family: 'auto' | 'ipv4' | 'ipv6';
    readonly variables: 'all' | 'explicit' | 'none';
  };
  readonly hosts: {
    readonly addresses: 'all' | 'chosen';
    readonly onError: 'warn' | 'fail';
  };
  readonly nsswitch: 'warn' | 'fix' | 'fail' | 'ignore';
  readonly secrets: {
    /** Variable name to secret identifier, or every secret. */
    readonly env: 'all' | ReadonlyMap<string, string>;
    readonly dotenv: readonly string[];
    readonly allowEmpty: ReadonlySet<string>;
  };
};
