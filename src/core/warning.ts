// What is wrong but does not stop the start. Core functions return warnings; only the log prints them.

export type Warning = {
  /** Stable, for people to search for: `W_IST_CONFLICT`, `W_NO_ADDRESS`, … */
  readonly code: string;
  /** One sentence; never a secret. */
  readonly message: string;
  /** Where the cause is: a file, a path in the config, a service. */
  readonly where: string;
  /** One imperative sentence that repairs it. */
  readonly fix: string;
};
