/** The environment that we were started with, as a start gets it from pid1. */
export function inheritedVariables(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}
