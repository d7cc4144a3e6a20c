// Everything that can stop a start, as one class: what, why, where, the one thing to do, and the exit status.
//
// Statuses are those of sysexits(3); 126 and 127 as shells use them.

/** Where the cause is, and one imperative sentence that repairs it. */
export type Remedy = {
  readonly where: string;
  readonly fix: string;
};

/** Exit statuses of init itself; all of them are given before the app has run. */
export const exitStatus = {
  usage: 64,
  unavailable: 69,
  internal: 70,
  cannotWrite: 73,
  refused: 77,
  config: 78,
  notExecutable: 126,
  notFound: 127,
} as const satisfies Record<string, number>;

export type StartErrorDetails = {
  /** One of {@link exitStatus}. */
  readonly exitCode: number;
  readonly remedy: Remedy;
  readonly cause?: unknown;
};

/**
 * The app cannot be started. The message begins with «Cannot», names the thing and the rule it broke,
 * and never contains a secret's value or a part of one.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** Stable, for people to search for: `E_CONFIG`, `E_NOT_FOUND`, … */
  readonly code: string;
  readonly exitCode: number;
  readonly remedy: Remedy;

  constructor(code: string, message: string, details: StartErrorDetails) {
    super(message, { cause: details.cause });
    this.code = code;
    this.exitCode = details.exitCode;
    this.remedy = details.remedy;
  }
}

/** The `errno` name of a Node system error (`ENOENT`, `EACCES`, …), if it is one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
