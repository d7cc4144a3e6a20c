// The layout of the link's frames, as src/pid1/frames.h has it; test/link/layout.test.ts compares the two.
//
// A frame is {uint32 size of the payload, uint32 type, payload}; all integers are little-endian.

export const linkVersion = 2;
export const linkFd = 3;
/** The stderr that pid1 was started with; shared with the app. */
export const sharedStderrFd = 4;
/** Of the object that closes a program's memory; inputs/own-environment.ts knows both numbers, too. */
export const preloadFd = 5;
/** Where that object is once it has done its work. */
export const preloadedFd = 6;

export const frameHeaderSize = 8;

export const frameType = {
  launch: 1,
  memo: 2,
  abort: 3,
  done: 4,
  signal: 5,
  stop: 6,
  deadline: 7,
  count: 8,
  notDumpable: 9,
  hello: 16,
  spawned: 17,
  spawnFailed: 18,
  exited: 19,
  counters: 20,
  notReplaced: 21,
} as const;

export const launchFlag = {
  setGroups: 1,
  singleChild: 2,
  subreaper: 4,
  exec: 8,
  noNewPrivileges: 16,
  notDumpable: 32,
  flags: 63,
} as const;

export const helloFlag = { isPid1: 1, hasTerminal: 2, logIsPrivate: 4 } as const;

/** Where a start failed: `enum stage`. */
export const stage = {
  fork: 1,
  session: 2,
  groups: 3,
  gid: 4,
  uid: 5,
  capabilities: 6,
  exec: 7,
  limits: 8,
  directory: 9,
  privileges: 10,
} as const;

export const signalCount = 65;
export const statusCount = 256;
/** For `uid` and `gid`: stay who we are. */
export const keepId = 0xffffffff;
/** For `kill_delay_ms`: never. */
export const noDelay = 0xffffffff;

export const launchSizeLimit = 8 * 1024 * 1024;
export const memoSizeLimit = 16 * 1024 * 1024;
/** In bytes, of a deadline's text. */
export const textSizeLimit = 4096;

/** The fields of `struct launch_header` in their order: name and size in bytes. */
export const launchHeader = [
  ['flags', 4],
  ['uid', 4],
  ['gid', 4],
  ['group_count', 4],
  ['limit_count', 4],
  ['argument_count', 4],
  ['variable_count', 4],
  ['parent_death_signal', 4],
  ['kill_delay_ms', 4],
  ['linger_ms', 4],
  ['trial_ms', 4],
  ['kill_after', signalCount],
  ['signal_map', signalCount],
  ['status_map', statusCount],
  ['reserved', 2],
] as const;

/** The fields of `struct hello_header` in their order; each is a uint32. */
export const helloHeader = [
  'version',
  'flags',
  'app_pid',
  'argument_count',
  'variable_count',
  'arguments_size',
  'environment_size',
  'memo_size',
  'launch_size',
] as const;

/** The fields of `struct launch_limit` in their order: name and size in bytes. */
export const launchLimit = [
  ['resource', 4],
  ['soft', 8],
  ['hard', 8],
] as const;

/** The fields of `struct counters` in their order; each is a uint32. */
export const counterFields = [
  'orphans_reaped',
  'brain_starts',
  'app_starts',
  'signals_forwarded',
] as const;
