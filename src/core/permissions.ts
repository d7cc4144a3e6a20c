// What the mode of a file lets somebody do who is not root. Source: path_resolution(7), "Permissions".
import type { Ids } from './plan.ts';

/** Of a directory: to go through it; of a file: to run it. The first class that fits decides, also where the next has more. */
export function mayExecute(
  { uid, gid, groups }: Ids,
  of: { readonly uid: number; readonly gid: number; readonly mode: number },
): boolean {
  const bit = of.uid === uid ? 0o100 : of.gid === gid || groups.includes(of.gid) ? 0o010 : 0o001;
  return (of.mode & bit) !== 0;
}
