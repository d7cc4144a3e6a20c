// What a brain leaves with pid1 for its successor: the choices that must not change because a brain ended.
import type { IstMap } from '../core/ist.ts';

type Memo = {
  readonly version: 1;
  /** Container id to the instance chosen. */
  readonly chosen: Readonly<Record<string, string>>;
};

export function encodeMemo({ services }: IstMap): Uint8Array {
  const chosen = Object.fromEntries(
    services.flatMap(({ containerId, chosen: address }) =>
      address === undefined ? [] : [[containerId, address.instanceId]],
    ),
  );
  const memo: Memo = { version: 1, chosen };
  return new TextEncoder().encode(JSON.stringify(memo));
}
