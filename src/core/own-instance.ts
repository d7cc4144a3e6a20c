// Which instance of the environment we are: it decides who gets which address, so that callers spread.
import type { Instance, Snapshot } from './snapshot.ts';
import type { Warning } from './warning.ts';

export type OwnSigns = {
  /** `CYCLE_INSTANCE_ID`. */
  readonly instanceId: string | undefined;
  /** Of this machine, as uname(2) tells. */
  readonly hostname: string;
};

export type OwnInstance = {
  /** Our instance's id, or our container's where that is not known. */
  readonly selfId: string;
  readonly instance: Instance | undefined;
  readonly warnings: readonly Warning[];
};

export function findOwnInstance(snapshot: Snapshot, signs: OwnSigns): OwnInstance {
  const siblings = snapshot.instances.filter((it) => it.containerId === snapshot.self.id);
  if (signs.instanceId !== undefined && signs.instanceId !== '') {
    const instance = siblings.find((it) => it.id === signs.instanceId);
    return { selfId: signs.instanceId, instance, warnings: [] };
  }

  const instance = siblings.find((it) => it.hostname !== '' && it.hostname === signs.hostname);
  return instance === undefined
    ? { selfId: snapshot.self.id, instance, warnings: [unknownInstance] }
    : { selfId: instance.id, instance, warnings: [] };
}

const unknownInstance: Warning = {
  code: 'W_OWN_INSTANCE',
  message:
    "Our own instance is not known: the container's id serves as identity, so that all instances of it choose the same addresses.",
  where: 'CYCLE_INSTANCE_ID',
  fix: 'Set CYCLE_INSTANCE_ID to the id of this instance.',
};
