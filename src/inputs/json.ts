// JSON of somebody else, where what is none is a case and no exception.

/** @throws {SyntaxError} */
export function parseJson(body: Buffer): unknown {
  return JSON.parse(body.toString('utf8'));
}

/** Undefined where it throws a SyntaxError. */
export function readJson<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) {
      throw error;
    }

    return undefined;
  }
}
