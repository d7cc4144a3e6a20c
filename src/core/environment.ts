// The app's environment as layers: each variable keeps its origin.
import type { Secret } from './secret.ts';

/** The layer that set a variable. Later layers win: the order is that of this union. */
export type VariableOrigin =
  | 'inherited'
  | 'dotenv'
  | 'identity'
  | 'ist'
  | 'variables'
  | 'secret'
  /** HOME, USER and LOGNAME after `--user`. */
  | 'user';

export type Variable = {
  readonly name: string;
  /** Plain text, or a secret: then it is shown nowhere. */
  readonly value: string | Secret;
  readonly origin: VariableOrigin;
  /** What exactly set it: a file, a service, a secret's identifier. For `debug`. */
  readonly from?: string;
};
