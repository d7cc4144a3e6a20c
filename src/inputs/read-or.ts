import { errnoOf } from '../errors.ts';

/** Undefined where the system refuses: it is not there, of another kind, or not ours to read. */
export function readOr<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return undefined;
  }
}
