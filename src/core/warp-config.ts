// The public type of `warp.config.js`. Self-contained: the reference and the JSON schema are made of this file alone.
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
  /** The deployment that this container is a part of. */
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
  /** The signal that init gets when its parent ends; before the app runs, it is not started then. KILL ends the app, too. */
  parentDeath?: string;
  /** What the app gets for a SIGTERM. @default "SIGTERM" */
  stopSignal?: string;
  /** Time from the stop signal to SIGKILL. Without it there is no SIGKILL: the container engine has its own. */
  killDelay?: Duration;
  /** Time that what is left of the app's group has between SIGTERM and SIGKILL. @default "0s" */
  linger?: Duration;
  /** What is logged to stderr: this and what is worse. @default "info" */
  logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Lines of JSON, or lines for people. @default "pretty" on a terminal, else "json" */
  logFormat?: 'json' | 'pretty';
  /** Stay beside the app to follow the platform. `false`: only the native PID 1 stays. @default true */
  follow?: boolean;
  /** The platform's internal API. */
  platform?: {
    /** Whether the platform must answer. Default: it must where there is a socket or a token. */
    required?: boolean;
    /** For all of its answers together. @default "30s" */
    deadline?: Duration;
  };
  /** Addresses and variables of services. */
  ist?: {
    /** Which address family the variables get. @default "auto": IPv4, else IPv6 */
    family?: 'auto' | 'ipv4' | 'ipv6';
    /** Which `WARP_IST_*` and explicit variables are set. @default "all" */
    variables?: 'all' | 'explicit' | 'none';
  };
  /** The names of services in /etc/hosts. */
  hosts?: {
    /** Write all addresses of a service, the chosen one first, or only that. @default "all" */
    addresses?: 'all' | 'chosen';
    /** What to do where /etc/hosts cannot be written. @default "warn" */
    onError?: 'warn' | 'fail';
  };
  /** What to do where nsswitch.conf keeps IST hostnames from resolving. @default "warn" */
  nsswitch?: 'warn' | 'fix' | 'fail' | 'ignore';
  /** Which secrets are fetched, and what they become. None is fetched that is not named. */
  secrets?: {
    /** Variables from secrets: `{NAME: "identifier"}`, every secret (`"all"`), or none. @default "none" */
    env?: 'all' | 'none' | Record<string, string>;
    /** Secrets whose value is a dotenv document. */
    dotenv?: string | string[];
    /** Secrets that become files, or directories. */
    files?: SecretFileInput | SecretFileInput[];
    /** Identifiers that may be empty; an empty secret is otherwise an error. */
    allowEmpty?: string | string[];
  };
  /** Absolute directory that the app starts in. @default where init was started */
  cwd?: string;
  /** The app and what it starts can never gain privileges (PR_SET_NO_NEW_PRIVS). @default false */
  noNewPrivileges?: boolean;
  /** Resource limits of the app, see setrlimit(2). Each that is not named stays as it is. */
  limits?: { [resource in ResourceName]?: LimitValue };
  /** Keep `CYCLE_API_TOKEN` from the app. @default false */
  hideToken?: boolean;
  /**
   * Absolute directory for `ist.json`, the control socket and the env file.
   * @default "/run/warp-init", or "/dev/shm/warp-init-UID" where that cannot be written
   */
  stateDirectory?: string;
  /**
   * The app's whole environment as a dotenv file, kept up to date: an absolute path, or `true` for `env` in the state
   * directory.
   * @default false
   */
  envFile?: boolean | string;
  /** The platform's certificates as files: `<first domain>/fullchain.pem` and `privkey.pem`. */
  certificates?: FileOwnerInput & {
    /** Absolute; replaced as a whole when a certificate changes. */
    directory: string;
  };
  /** What happens to the app when something that it uses has changed. */
  reload?: ReloadConfig;
};

export type FileOwnerInput = {
  /** Permission bits as octal text, `"0400"`, or a number, `0o400`. @default "0400" */
  mode?: string | number;
  /** Name or id. @default the app's user */
  user?: string | number;
  /** Name or id. @default the app's group */
  group?: string | number;
};

export type SecretFileInput = FileOwnerInput & {
  /** Identifier of the secret. */
  secret: string;
  /** Absolute; where `unpack` is given, a directory that is replaced as a whole. */
  path: string;
  /** How the value is encoded. @default the value is the text itself */
  decode?: 'base64';
  /** The value is a tar or tar.gz archive of which `path` becomes the directory. */
  unpack?: 'tar';
  /** Whether the value may be empty. @default false */
  allowEmpty?: boolean;
};

/** As in setrlimit(2), without `RLIMIT_`. */
export type ResourceName =
  | 'as'
  | 'core'
  | 'cpu'
  | 'data'
  | 'fsize'
  | 'locks'
  | 'memlock'
  | 'msgqueue'
  | 'nice'
  | 'nofile'
  | 'nproc'
  | 'rss'
  | 'rtprio'
  | 'rttime'
  | 'sigpending'
  | 'stack';

/** In the unit of the resource (bytes, seconds, a count), or none. */
export type LimitAmount = number | 'unlimited';

/** An amount alone is both the soft and the hard limit. */
export type LimitValue = LimitAmount | { soft: LimitAmount; hard: LimitAmount };

/**
 * `auto`: hosts and files are updated, and `signal` is sent if one is given. `signal`: files, then a signal. `restart`:
 * the app is stopped and started with the new environment. `command`: files, then `command` runs. `none`: nothing is
 * done.
 */
export type ReloadAction = 'auto' | 'signal' | 'restart' | 'command' | 'none';

export type ReloadConfig = {
  /** @default "auto" */
  action?: ReloadAction;
  /** Another action for a kind of change. @default `action` */
  on?: {
    /** Of services: their addresses and names. */
    ist?: ReloadAction;
    /** Of the value of a secret. */
    secrets?: ReloadAction;
    /** Of a certificate. */
    certificates?: ReloadAction;
    /** Of the config, which `warp-init reload` reads again, of the dotenv files, or of the identity variables. */
    config?: ReloadAction;
  };
  /** Sent to one process, the app. @default "SIGHUP" where an action is `signal`, else none */
  signal?: string;
  /** For the action `command`. Text is split at white space; no shell reads it. */
  command?: string | string[];
  /** For the app's end in a restart, then SIGKILL; and for `command`. @default "10s" */
  deadline?: Duration;
  /** A reload begins when nothing has changed for this long. @default "500ms", at most `maxWait` */
  quiet?: Duration;
  /** And this long after the first change at the latest. @default "10s", at least `quiet` */
  maxWait?: Duration;
};
