// The services in the table: which addresses are behind each, and which names lead there.
import type { DebugAddress, DebugService } from './debug-platform.ts';
import { type Row, display } from './debug-text.ts';

export function serviceRows(services: readonly DebugService[]): Row[] {
  return services.flatMap((service) => [
    { label: display(service.name), items: factsOf(service) },
    ...[...addressRows(service), ...nameRows(service)].map(indent),
  ]);
}

const tiers = {
  best: 'best',
  running: 'running (not healthy, not ready or draining)',
  any: 'any (none is running)',
  none: 'none (no instance can be reached: no names)',
} as const satisfies Record<DebugService['tier'], string>;

function factsOf({ tier, isOwn, hasEntry, containerId }: DebugService): string[] {
  return [
    isOwn ? 'this container' : [],
    tiers[tier],
    hasEntry ? 'has an `ist` entry' : [],
    display(containerId),
  ].flat();
}

function addressRows({ chosen, others }: DebugService): Row[] {
  return [
    { label: 'chosen', items: chosen === null ? [] : [describe(chosen)] },
    { label: 'others', items: others.map(describe) },
  ].filter(({ items }) => items.length > 0);
}

/** An instance's addresses side by side: they are of one and the same machine. */
function describe({ ipv4, ipv6 }: DebugAddress): string {
  return [ipv4 ?? [], ipv6 ?? []].flat().join(' ');
}

function nameRows({ hostnames, variables }: DebugService): Row[] {
  return [
    { label: 'hostnames', items: hostnames.map(({ name }) => display(name)) },
    { label: 'variables', items: variables.map(({ name }) => display(name)) },
  ].filter(({ items }) => items.length > 0);
}

function indent({ label, items }: Row): Row {
  return { label: `  ${label}`, items };
}
