// The platform's answers as checked plain data: shapes of just the fields that we read.
//
// A shape is checked item by item: 10,000 items stay cheap. A problem names the path and the types, never a value.
// Source: the platform's OpenAPI document.

import { isIpv4, isIpv6 } from '../core/ip-address.ts';
import { Secret } from '../core/secret.ts';
import type {
  Certificate,
  CertificateSummary,
  Container,
  Instance,
  NamedThing,
  Server,
} from '../core/snapshot.ts';
import type { Warning } from '../core/warning.ts';
import { type ShapeOf, flag, listOf, object, perhaps, text } from './json-shape.ts';
import { dataOf, fieldPath, listParser, parseList, parseOne, wrongType } from './shape.ts';
import type { ItemsParser, Parsed } from './shape.ts';

export type Instances = {
  readonly instances: readonly Instance[];
  readonly warnings: readonly Warning[];
};

/** `GET /v1/container` */
export function parseContainer(body: unknown): Parsed<Container> {
  return parseOne(body, container, toContainer);
}

/** `GET /v1/environment/containers` */
export function containersParser(): ItemsParser<readonly Container[]> {
  return listParser(container, toContainer);
}

/** `GET /v1/environment/instances`. An address that is none is left out, with a warning. */
export function instancesParser(): ItemsParser<Instances> {
  const badAddresses: string[] = [];
  const { take, finish } = listParser(instance, (answer) => toInstance(answer, badAddresses));
  return {
    take,
    finish: (body) => {
      const list = finish(body);
      return list.kind === 'problem'
        ? list
        : {
            kind: 'value',
            value: { instances: list.value, warnings: addressWarnings(badAddresses) },
          };
    },
  };
}

/** `GET /v1/environment` and `GET /v1/hub` */
export function parseNamedThing(body: unknown): Parsed<NamedThing> {
  return parseOne(body, namedThing, ({ id, name }) => ({ id, name }));
}

/** `GET /v1/server` */
export function parseServer(body: unknown): Parsed<Server> {
  return parseOne(body, server, ({ id, hostname }) => ({ id, hostname }));
}

/** `GET /v1/containers/certificates`. The private keys end here. */
export function parseDomains(body: unknown): Parsed<readonly CertificateSummary[]> {
  return parseList(body, certificateDomains, ({ id, domains }) => ({ id, domains }));
}

/** The same answer with the private keys, for files. */
export function parseCertificates(body: unknown): Parsed<readonly Certificate[]> {
  return parseList(body, certificate, ({ id, domains, private_key: key, bundle }) => ({
    id,
    domains,
    privateKey: new Secret(key),
    bundle,
  }));
}

/** `GET /v1/environment/scoped-variables`: identifier to value. */
export function parseScopedVariables(body: unknown): Parsed<ReadonlyMap<string, Secret>> {
  const data = dataOf(body);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    return wrongType('data', 'object', data);
  }

  // A map: `constructor` is an identifier, too.
  const secrets = new Map<string, Secret>();
  for (const [identifier, value] of Object.entries(data)) {
    if (typeof value !== 'string') {
      return wrongType(fieldPath('data', identifier), 'string', value);
    }

    secrets.set(identifier, new Secret(value));
  }

  return { kind: 'value', value: secrets };
}

const container = object({
  id: text,
  name: text,
  identifier: text,
  deployment: perhaps(object({ version: perhaps(text) })),
  state: perhaps(object({ current: text })),
});

const address = perhaps(object({ ip: text }));

const instance = object({
  id: text,
  container_id: text,
  server_id: text,
  hostname: text,
  ready_state: text,
  service: perhaps(text),
  state: object({
    current: text,
    health: perhaps(object({ healthy: perhaps(flag) })),
    readiness: perhaps(object({ ready: perhaps(flag) })),
  }),
  traffic_drain: perhaps(object({})),
  environment: perhaps(object({ ipv6: address, legacy: perhaps(object({ ipv4: address })) })),
});

const namedThing = object({ id: text, name: text });

const server = object({ id: text, hostname: text });

const certificateDomains = object({ id: text, domains: listOf(text) });

const certificate = object({
  id: text,
  domains: listOf(text),
  private_key: text,
  bundle: text,
});

function toContainer(answer: ShapeOf<typeof container>): Container {
  const { id, name, identifier, state } = answer;
  const deployment = answer.deployment?.version;
  return {
    id,
    name,
    identifier,
    // The platform writes "no version" as null or as an empty string.
    ...(deployment && { deployment }),
    ...(state && { state: state.current }),
  };
}

function toInstance(answer: ShapeOf<typeof instance>, badAddresses: string[]): Instance {
  const { id, state, service, environment } = answer;
  const ipv4 = usableAddress(environment?.legacy?.ipv4?.ip, isIpv4);
  const ipv6 = usableAddress(environment?.ipv6?.ip, isIpv6);
  if (ipv4 === 'bad') {
    badAddresses.push(`environment.legacy.ipv4.ip of ${id}`);
  }

  if (ipv6 === 'bad') {
    badAddresses.push(`environment.ipv6.ip of ${id}`);
  }

  // Written out, and not spread: 10,000 of them are a part of a start.
  const result: Mutable<Instance> = {
    id,
    containerId: answer.container_id,
    serverId: answer.server_id,
    hostname: answer.hostname,
    readyState: answer.ready_state,
    state: state.current,
    isHealthy: state.health?.healthy !== false,
    isReady: state.readiness?.ready !== false,
    // The field says when draining began; while there is none, it is null.
    isDraining: Boolean(answer.traffic_drain),
  };
  if (service) {
    result.platformService = service;
  }

  if (ipv4 !== undefined && ipv4 !== 'bad') {
    result.ipv4 = ipv4;
  }

  if (ipv6 !== undefined && ipv6 !== 'bad') {
    result.ipv6 = ipv6;
  }

  return result;
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/**
 * The schema says "the IP address"; a prefix length, should one come, is cut off. What is no address, or one
 * that another machine cannot mean (unspecified, with a zone), must never reach hosts(5).
 */
function usableAddress(
  written: string | undefined,
  isAddress: (text: string) => boolean,
): string | undefined {
  if (!written) {
    return undefined;
  }

  const slash = written.indexOf('/');
  const bare =
    slash !== -1 && /^\d{1,3}$/.test(written.slice(slash + 1)) ? written.slice(0, slash) : written;
  const isUsable = isAddress(bare) && !bare.includes('%') && /[1-9a-f]/i.test(bare);
  return isUsable ? bare : 'bad';
}

const namedAtMost = 3;

function addressWarnings(badAddresses: readonly string[]): readonly Warning[] {
  if (badAddresses.length === 0) {
    return [];
  }

  const named = badAddresses.slice(0, namedAtMost).join(', ');
  const others = badAddresses.length - namedAtMost;
  return [
    {
      code: 'W_BAD_ADDRESS',
      message: `Not an IP address of an instance, left out: ${named}${others > 0 ? ` and ${others} more` : ''}.`,
      where: 'GET /v1/environment/instances',
      fix: 'Look at the network of these instances on the platform; their services are reached by other addresses meanwhile.',
    },
  ];
}
