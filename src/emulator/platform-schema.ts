// The valibot schemas of PLATFORM.json. The message of each is what it expects, in words.
//
// Words for states are the published contract's.
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import * as v from 'valibot';
import { closed, entriesOf, oneOf } from './schema-parts.ts';
import type { Entry } from './schema-parts.ts';

export type CheckedFile = v.InferOutput<typeof platformSchema>;
export type CheckedService = v.InferOutput<typeof serviceFields>;
export type CheckedInstance = v.InferOutput<typeof instanceFields>;
export type CheckedSecret = v.InferOutput<typeof secretFields>;
export type CheckedCertificate = v.InferOutput<typeof certificateFields>;

const text = v.string('text');
const flag = v.boolean('true or false');
const optionalFlag = v.nullable(flag);
const name = v.pipe(text, v.nonEmpty('text that is not empty'));
const id = v.pipe(text, v.regex(/^[0-9a-f]{24}$/, '24 of the digits 0-9a-f'));
const ipv4 = v.pipe(text, v.check(isIPv4, 'an IPv4 address'));
const ipv6 = v.pipe(text, v.check(isIPv6, 'an IPv6 address'));
const address = v.pipe(
  text,
  v.check((value) => isIPv4(value) || isIPv6(value), 'an IPv4 or IPv6 address'),
);
const pem = v.pipe(text, v.includes('-----BEGIN ', 'text in PEM form'));
const domain = v.pipe(
  text,
  v.check((value) => domainToASCII(value.replace(/^\*\./, '')) !== '', 'a domain name'),
);
const duration = v.pipe(
  text,
  v.regex(/^\d+(?:ms|s|m|h)$/, 'a duration such as 500ms, 30s, 2m or 1h'),
  v.transform(parseDurationMs),
);

const instanceFields = closed({
  id: v.exactOptional(id),
  hostname: v.exactOptional(name),
  server: v.exactOptional(name),
  ipv4: v.exactOptional(ipv4),
  ipv6: v.exactOptional(ipv6),
  healthy: v.exactOptional(optionalFlag),
  ready: v.exactOptional(optionalFlag),
  draining: v.exactOptional(flag),
  ready_state: v.exactOptional(oneOf(['active', 'purge', 'hibernate', 'configuring'])),
  state: v.exactOptional(
    oneOf([
      'new',
      'starting',
      'migrating',
      'running',
      'stopping',
      'stopped',
      'failed',
      'deleting',
      'deleted',
    ]),
  ),
});

const addressOfInstance = v.pipe(
  address,
  v.transform((ip): CheckedInstance => (isIPv4(ip) ? { ipv4: ip } : { ipv6: ip })),
);

const instance = v.lazy((input): v.GenericSchema<unknown, CheckedInstance> =>
  typeof input === 'string' ? addressOfInstance : instanceFields,
);
const instances = v.array(instance, 'a list of instances');

const serviceFields = closed({
  id: v.exactOptional(id),
  name: v.exactOptional(text),
  identifier: v.exactOptional(text),
  deployment: v.exactOptional(name),
  state: v.exactOptional(
    oneOf(['new', 'starting', 'running', 'function', 'stopping', 'stopped', 'deleting', 'deleted']),
  ),
  platform_service: v.exactOptional(
    oneOf(['discovery', 'vpn', 'loadbalancer', 'scheduler', 'gateway']),
  ),
  instances: v.exactOptional(instances),
});

const addressOfService = v.pipe(
  addressOfInstance,
  v.transform((only): CheckedService => ({ instances: [only] })),
);
const instancesOfService = v.pipe(
  instances,
  v.transform((list): CheckedService => ({ instances: list })),
);

const service = v.lazy((input): v.GenericSchema<unknown, CheckedService> => {
  if (typeof input === 'string') return addressOfService;
  return Array.isArray(input) ? instancesOfService : serviceFields;
});

const namedService = v.pipe(
  serviceFields,
  v.check((value) => value.name !== undefined, 'a service with a `name`'),
  v.transform((value): Entry<CheckedService> => ({ key: undefined, value })),
);

const services = v.lazy((input): v.GenericSchema<unknown, Entry<CheckedService>[]> =>
  Array.isArray(input) ? v.array(namedService) : entriesOf(service, 'services by name, or a list'),
);

const secretFields = closed({
  value: text,
  duration: v.exactOptional(duration),
  once: v.exactOptional(flag),
});
const plainSecret = v.pipe(
  text,
  v.transform((value): CheckedSecret => ({ value })),
);
const secret = v.lazy((input): v.GenericSchema<unknown, CheckedSecret> =>
  typeof input === 'string' ? plainSecret : secretFields,
);

const certificateFields = v.pipe(
  closed({
    id: v.exactOptional(id),
    domains: v.pipe(v.array(domain, 'a list of domains'), v.minLength(1, 'at least one domain')),
    private_key: v.exactOptional(pem),
    bundle: v.exactOptional(pem),
  }),
  v.check(
    (value) => (value.private_key === undefined) === (value.bundle === undefined),
    '`private_key` and `bundle` together, or neither',
  ),
);

export const platformSchema = closed({
  token: v.exactOptional(
    // A header's value: RFC 9110 section 5.5, without white space.
    v.pipe(text, v.regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces')),
  ),
  hub: v.exactOptional(identity({ name })),
  environment: v.exactOptional(identity({ name })),
  server: v.exactOptional(identity({ hostname: name })),
  self: v.exactOptional(text),
  services: v.pipe(services, v.minLength(1, 'at least one service')),
  secrets: v.exactOptional(entriesOf(secret, 'secrets by identifier')),
  certificates: v.exactOptional(v.array(certificateFields, 'a list of certificates')),
});

/** `"acme"`, or an object that also fixes the id. */
function identity<const Entries extends v.ObjectEntries>(entries: Entries) {
  const fields = closed({ id: v.exactOptional(id), ...entries });
  return v.lazy((input): typeof name | typeof fields =>
    typeof input === 'string' ? name : fields,
  );
}

const durationUnitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

function parseDurationMs(words: string): number {
  const unit = words.replace(/^\d+/, '');
  return Number.parseInt(words, 10) * (durationUnitsMs[unit] ?? Number.NaN);
}
