// The public type of `warp.config.js`. Self-contained: it becomes dist/warp-init.d.cts as it is.
//
// Keys of Warp itself come from the platform's documentation; our own live under `init`.

/** A length of time with its unit: `"500ms"`, `"10s"`, `"2m"`. */
export type Duration = `${number}ms` | `${number}s` | `${number}m`;

/** What `module.exports` or `export default` of `warp.config.js` may be. */
export type WarpConfigExport = WarpConfig | (() => WarpConfig | Promise<WarpConfig>);

/** The keys that init reads. Every other key of Warp (image, build, volumes, server, hosting, …) is ignored. */
export type WarpConfig = {
  /** Name of this container's service. */
  container?: string;
  /** The command, where none is given after `--`. A string is split at white space. */
  args?: string | string[];
  /** Variables of the app. */
  variables?: Record<string, VariableValue>;
  deployment?: {
    /** Becomes `WARP_PORT`. */
    port?: number;
    /** Overrides `variables`, name by name. */
    variables?: Record<string, VariableValue>;
    [key: string]: unknown;
  };
  /** Names for services, in addition to the default ones. One entry a service. */
  ist?: IstEntryInput | IstEntryInput[];
  /** Options of warp-init itself. The command line and `WARP_INIT_*` override them. */
  init?: InitConfig;
  [key: string]: unknown;
};

/** A literal value (`""` is empty), taken from the inherited environment, empty, or removed. */
export type VariableValue = string | { local: true } | { empty: true } | { undef: true };

export type IstEntryInput = {
  /** Name of the service. */
  service: string;
  /** Variables that get the service's address. */
  variables?: string | string[];
  /** Names for /etc/hosts. */
  hostnames?: string | string[];
};

export type InitConfig = {
  /**
   * Unix socket of the internal API.
   * @default "/var/run/cycle/api/api.sock"
   */
  socket?: string;
  /** Dotenv files; they fill what the inherited environment lacks. Earlier files win. */
  dotenv?: string | string[];
  /** `NAME`, `UID`, `NAME:GROUP` or `UID:GID`: who the app runs as. */
  user?: string;
  /** pid1 becomes the app after preparing: no forwarding, no reaping, nothing of ours stays. @default false */
  exec?: boolean;
  /** Print the resolved map to stderr before the start. @default false */
  debug?: boolean;
  /** Signals to replace on the way to the app, `"SIGTERM:SIGQUIT"`; `"SIGWINCH:0"` drops. */
  rewrite?: string | string[];
  /** Exit statuses to replace, `"143:0"`; `"143"` alone means to 0. */
  exitStatus?: string | string[];
  /** Forward signals to the app alone, not to its process group. @default false */
  singleChild?: boolean;
  /** Adopt orphans although not PID 1. @default true where init is not PID 1 */
  subreaper?: boolean;
  /** The signal that init gets when its parent ends. */
  parentDeath?: string;
  /** What the app gets for a SIGTERM. @default "SIGTERM" */
  stopSignal?: string;
  /** Time from the stop signal to SIGKILL. Without it there is no SIGKILL: the container engine has its own. */
  killDelay?: Duration;
  /** Time that what is left of the app's group has between SIGTERM and SIGKILL. @default "0s" */
  linger?: Duration;
  /** @default "info" */
  logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** @default "pretty" on a terminal, else "json" */
  logFormat?: 'json' | 'pretty';
  /** Stay beside the app to follow the platform. `false`: only the native PID 1 stays. @default true */
  follow?: boolean;
  platform?: {
    /** Whether the platform must answer. Default: it must where there is a socket or a token. */
    required?: boolean;
    /** For all of its answers together. @default "30s" */
    deadline?: Duration;
  };
  ist?: {
    /** Which address family the variables get. @default "auto": IPv4, else IPv6 */
    family?: 'auto' | 'ipv4' | 'ipv6';
    /** Which `WARP_IST_*` and explicit variables are set. @default "all" */
    variables?: 'all' | 'explicit' | 'none';
  };
  hosts?: {
    /** Write all addresses of a service, the chosen one first, or only that. @default "all" */
    addresses?: 'all' | 'chosen';
    /** What to do where /etc/hosts cannot be written. @default "warn" */
    onError?: 'warn' | 'fail';
  };
  /** What to do where nsswitch.conf keeps IST hostnames from resolving. @default "warn" */
  nsswitch?: 'warn' | 'fix' | 'fail' | 'ignore';
  secrets?: {
    /** Variables from secrets: `{NAME: "identifier"}`, every secret (`"all"`), or none. @default "none" */
    env?: 'all' | 'none' | Record<string, string>;
    /** Secrets whose value is a dotenv document. */
    dotenv?: string | string[];
    /** Identifiers that may be empty; an empty secret is otherwise an error. */
    allowEmpty?: string | string[];
  };
};
