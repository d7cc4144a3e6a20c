// What the operator should know about an IST map, apart from conflicts: entries without a service, services
// without an address, services without a default name.
import { labelSizeOctets, quoteName } from './ist-names.ts';
import type { Candidate, IstInput } from './ist.ts';
import type { Warning } from './warning.ts';

export function entryWarnings(
  { entries, snapshot }: IstInput,
  services: readonly Candidate[],
): readonly Warning[] {
  if (entries.length === 0) {
    return [];
  }

  const resolved = new Set(services.map(({ service }) => service));
  const existing = new Set(snapshot.containers.map(({ name }) => name));

  return entries
    .filter(({ service }) => !resolved.has(service))
    .map(({ service }) => ({
      code: 'W_IST_UNKNOWN_SERVICE',
      message: existing.has(service)
        ? `The service ${quoteName(service)} is in another deployment than this container: its \`ist\` entry has no effect`
        : `No service is called ${quoteName(service)}: its \`ist\` entry has no effect`,
      where: 'ist in warp.config.js',
      fix: 'Correct `service` to the name of a container that this one can see, or remove the entry.',
    }));
}

/** What is missing of one service: an address, an address of the family, a default name. */
export function serviceWarnings(
  { settings }: Pick<IstInput, 'settings'>,
  services: readonly Candidate[],
): readonly Warning[] {
  const warnings: Warning[] = [];

  for (const service of services) {
    const { choice, entry } = service;

    if (choice.chosen === undefined) {
      warnings.push(addressWarning(service));
      continue;
    }

    if (choice.address === undefined && settings.variables !== 'none') {
      warnings.push(familyWarning(service, settings.family));
    }

    // An entry's name stands in for a default one that is missing or bad.
    if (!entry?.hostnames.length) {
      warnings.push(...hostnameWarnings(service));
    }
    if (!entry?.variables.length && settings.variables === 'all') {
      warnings.push(...variableWarnings(service));
    }
  }

  return warnings;
}

function addressWarning({ service, containerId }: Candidate): Warning {
  return {
    code: 'W_NO_ADDRESS',
    message: `No active instance of the service ${quoteName(service)} has an address: its hostnames and variables are left out`,
    where: `service ${quoteName(service)} (${containerId})`,
    fix: 'Start an instance of it, and see that it has joined the network of the environment.',
  };
}

function familyWarning({ service, containerId }: Candidate, family: string): Warning {
  return {
    code: 'W_NO_ADDRESS_OF_FAMILY',
    message: `No active instance of the service ${quoteName(service)} has an ${family} address: its variables are left out`,
    where: `service ${quoteName(service)} (${containerId})`,
    fix: 'Set init.ist.family to "auto", or give its instances such an address.',
  };
}

function hostnameWarnings({ service, defaults }: Candidate): readonly Warning[] {
  const { hostname } = defaults;

  if (hostname === undefined) {
    return [
      {
        code: 'W_IST_NO_HOSTNAME',
        message: `The name of the service ${quoteName(service)} gives no hostname`,
        where: 'ist in warp.config.js',
        fix: `Put an entry with \`hostnames\` for ${quoteName(service)} into \`ist\`.`,
      },
    ];
  }

  const size = labelSizeOctets(hostname);
  return size <= maxLabelOctets
    ? []
    : [
        {
          code: 'W_IST_LONG_HOSTNAME',
          message: `The hostname ${hostname} has a label of ${size} octets, and some resolvers refuse more than ${maxLabelOctets}`,
          where: 'ist in warp.config.js',
          fix: `Put an entry with shorter \`hostnames\` for ${quoteName(service)} into \`ist\`.`,
        },
      ];
}

function variableWarnings({ service, defaults }: Candidate): readonly Warning[] {
  if (defaults.generic !== undefined) {
    return [];
  }

  const left = defaults.shell === undefined ? 'no variable' : `only the variable ${defaults.shell}`;

  return [
    {
      code: 'W_IST_NO_VARIABLE',
      message: `The service ${quoteName(service)} has ${left}: its name cannot become a part of the other ones`,
      where: 'ist in warp.config.js',
      fix: `Put an entry with \`variables\` for ${quoteName(service)} into \`ist\`.`,
    },
  ];
}

/** RFC 1035, section 2.3.4. */
const maxLabelOctets = 63;
