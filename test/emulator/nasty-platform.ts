// Platform files that nobody sane would write, made of the format's own words.
import fc from 'fast-check';
import type {
  InstanceFile,
  PlatformFile,
  ServiceFields,
} from '../../src/emulator/platform-file.ts';

const hardNames = [
  '',
  ' ',
  '-',
  'web',
  'my-db',
  'my db',
  'my=db',
  'mes-données',
  '✅ db',
  '我的数据',
  'a\nb',
  'a\0b',
  '#',
  '\t',
  'constructor',
  '__proto__',
  'toString',
  '1',
  '"',
  '\\',
  '\u2028',
  '\ud800',
  'x'.repeat(300),
];
const name = fc.oneof(fc.constantFrom(...hardNames), fc.string({ unit: 'grapheme' }));
const filledName = name.filter((text) => text !== '');
const flag = fc.boolean();
const id = fc.stringMatching(/^[0-9a-f]{24}$/);

export const instanceFields = fc.record(
  {
    hostname: filledName,
    server: fc.oneof(fc.constantFrom('laptop', 'other'), filledName),
    ipv4: fc.ipV4(),
    ipv6: fc.ipV6(),
    healthy: fc.constantFrom(true, false, null),
    ready: fc.constantFrom(true, false, null),
    draining: flag,
    ready_state: fc.constantFrom('active', 'purge', 'hibernate', 'configuring'),
    state: fc.constantFrom('new', 'starting', 'running', 'failed', 'deleting', 'deleted'),
  },
  { requiredKeys: [] },
);
const instance: fc.Arbitrary<InstanceFile> = fc.oneof(fc.ipV4(), fc.ipV6(), instanceFields);
const instances = fc.array(instance, { maxLength: 4 });

export const serviceFields: fc.Arbitrary<ServiceFields> = fc.record(
  {
    identifier: name,
    deployment: fc.constantFrom('v1.0.0', 'v1.0.1', 'blue', 'a b'),
    state: fc.constantFrom('new', 'running', 'function', 'stopped', 'deleted'),
    platform_service: fc.constantFrom('discovery', 'vpn', 'loadbalancer', 'scheduler', 'gateway'),
    instances,
  },
  { requiredKeys: [] },
);

const serviceMap = mapOf(fc.oneof(serviceFields, fc.ipV4(), instances));
const serviceList = fc.array(
  fc.tuple(name, serviceFields).map(([itsName, fields]) => ({ ...fields, name: itsName })),
  { minLength: 1, maxLength: 6 },
);
const secret = fc.oneof(
  name,
  fc.record(
    { value: name, duration: fc.constantFrom('500ms', '30s', '2m', '1h'), once: flag },
    { requiredKeys: ['value'] },
  ),
);

export const nastyPlatform: fc.Arbitrary<PlatformFile> = fc.record(
  {
    token: fc.stringMatching(/^[\x21-\x7e]+$/),
    hub: fc.oneof(filledName, fc.record({ id, name: filledName })),
    environment: filledName,
    server: fc.oneof(fc.constant('laptop'), fc.record({ id, hostname: filledName })),
    services: fc.oneof(serviceMap, serviceList),
    secrets: mapOf(secret),
    certificates: fc.array(
      fc.record({
        domains: fc.array(fc.constantFrom('a.example', '*.a.example', 'bücher.example'), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['services'] },
);

/** Unlike a dictionary, it may have the key `__proto__`. */
function mapOf<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Record<string, Value>> {
  return fc
    .array(fc.tuple(name, value), { minLength: 1, maxLength: 6 })
    .map((entries) => Object.fromEntries(entries));
}
