// The payload of a launch, and the integers that all frames are made of.
import { encodeString } from './bytes.ts';
import { keepId, launchFlag, launchHeader, noDelay, signalCount, statusCount } from './layout.ts';
import type { LaunchLimit, LaunchMessage } from './messages.ts';

export function encodeLaunch(launch: LaunchMessage): Buffer {
  const groups = launch.groups ?? [];
  const words = [launch.file, launch.directory ?? '', ...launch.argv, ...launch.environment];
  return Buffer.concat([
    ...launchHeader.map(([name, size]) => encodeField(launch, name, size)),
    ...groups.map(uint32),
    ...(launch.limits ?? []).map(encodeLimit),
    encodeString(`${words.join('\0')}\0`),
  ]);
}

/** The same launch, as one that has proved itself. */
export function withoutTrial(payload: Uint8Array): Uint8Array {
  const bytes = Buffer.from(payload);
  bytes.writeUInt32LE(0, offsetOf('trial_ms'));
  return bytes;
}

function offsetOf(field: LaunchField): number {
  const before = launchHeader.slice(
    0,
    launchHeader.findIndex(([name]) => name === field),
  );
  return before.reduce((offset, [, size]) => offset + size, 0);
}

function encodeLimit({ resource, soft, hard }: LaunchLimit): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(resource);
  bytes.writeBigUInt64LE(soft, 4);
  bytes.writeBigUInt64LE(hard, 12);
  return bytes;
}

type LaunchField = (typeof launchHeader)[number][0];

function encodeField(launch: LaunchMessage, name: LaunchField, size: number): Buffer {
  switch (name) {
    case 'flags':
      return uint32(launchFlags(launch));
    case 'uid':
      return uint32(launch.uid ?? keepId);
    case 'gid':
      return uint32(launch.gid ?? keepId);
    case 'group_count':
      return uint32(launch.groups?.length ?? 0);
    case 'limit_count':
      return uint32(launch.limits?.length ?? 0);
    case 'argument_count':
      return uint32(launch.argv.length);
    case 'variable_count':
      return uint32(launch.environment.length);
    case 'parent_death_signal':
      return uint32(launch.parentDeathSignal ?? 0);
    case 'kill_delay_ms':
      return uint32(launch.killDelayMs ?? noDelay);
    case 'linger_ms':
      return uint32(launch.lingerMs);
    case 'trial_ms':
      return uint32(launch.trialMs ?? 0);
    case 'kill_after':
      return table(signalCount, (signal) => (launch.stopSignals.includes(signal) ? 1 : 0));
    case 'signal_map':
      return table(signalCount, (signal) => launch.signalMap.get(signal) ?? signal);
    case 'status_map':
      return table(statusCount, (status) => launch.statusMap.get(status) ?? status);
    case 'reserved':
      return Buffer.alloc(size);
  }
}

function table(size: number, valueOf: (index: number) => number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => valueOf(index)));
}

function launchFlags(launch: LaunchMessage): number {
  return (
    (launch.groups === undefined ? 0 : launchFlag.setGroups) |
    (launch.singleChild ? launchFlag.singleChild : 0) |
    (launch.subreaper ? launchFlag.subreaper : 0) |
    (launch.exec ? launchFlag.exec : 0) |
    (launch.noNewPrivileges === true ? launchFlag.noNewPrivileges : 0) |
    (launch.notDumpable === true ? launchFlag.notDumpable : 0)
  );
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function uint32s(...values: readonly number[]): Buffer {
  return Buffer.concat(values.map(uint32));
}
