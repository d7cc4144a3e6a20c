// The app's environment as layers, later wins: each variable keeps its origin.
//
// inherited ◄ dotenv files (fill what is missing only) ◄ identity ◄ user ◄ IST ◄ `variables` ◄ secrets.
// Text may hold the lone surrogates U+DC80 to U+DCFF, which stand for undecodable bytes (PEP 383): they pass unchanged.
import type { VariableRule } from './config.ts';
import type { IstMap, IstName } from './ist.ts';
import type { Secret } from './secret.ts';
import type { Warning } from './warning.ts';

/** The layer that set a variable. Later layers win: the order is that of this union. */
export type VariableOrigin =
  | 'inherited'
  | 'dotenv'
  | 'identity'
  /** HOME, USER and LOGNAME after `--user`. */
  | 'user'
  | 'ist'
  | 'variables'
  | 'secret';

export type Variable = {
  readonly name: string;
  /** Plain text, or a secret: then it is shown nowhere. */
  readonly value: string | Secret;
  readonly origin: VariableOrigin;
  /** What exactly set it: a file, a service, a secret's identifier. For `debug`. */
  readonly from?: string;
  /** Only for origin `ist`: the rule that gave the name. */
  readonly istRule?: IstName['rule'];
  /** Only for origin `secret`: it is among many that the platform names; such a name is shown in no log. */
  readonly isBulk?: true;
};

/** One dotenv file, as inputs/dotenv-file.ts read it. */
export type DotenvLayer = {
  readonly path: string;
  readonly values: ReadonlyMap<string, string>;
};

/** What the app's user means for its environment. A user without an entry in passwd has no name. */
export type UserVariables = { readonly name: string | undefined; readonly home: string };

/** What core/secret-references.ts makes of the fetched secrets. */
export type ResolvedSecrets = {
  /** By identifier: the value of each `warp-secret:` reference. */
  readonly references: ReadonlyMap<string, Secret>;
  /** From `init.secrets.env: {NAME: "identifier"}`. */
  readonly named: readonly Variable[];
  /** From `init.secrets.dotenv` and `init.secrets.env: "all"`; they never replace a reference. */
  readonly bulk: readonly Variable[];
};

/** What the operator wrote; the other layers come from the platform and from passwd. */
export type WrittenLayers = {
  readonly inherited: ReadonlyMap<string, string>;
  /** Earlier files win. */
  readonly dotenv: readonly DotenvLayer[];
  readonly rules: readonly VariableRule[];
};

export type EnvironmentInput = WrittenLayers & {
  readonly identity: readonly Variable[];
  readonly user: UserVariables | undefined;
  readonly ist: Pick<IstMap, 'services'>;
  /** Undefined leaves references as they are written: `debug` never fetches a secret. */
  readonly secrets: ResolvedSecrets | undefined;
  /** `init.hideToken`: the app does not get CYCLE_API_TOKEN, whichever layer has it. @default false */
  readonly hideToken?: boolean;
};

export type Environment = {
  /** The inherited ones first, in their order, then the others as they were added. */
  readonly variables: readonly Variable[];
  readonly warnings: readonly Warning[];
};

type Layers = Map<string, Variable>;

export function buildEnvironment(input: EnvironmentInput): Environment {
  const warnings: Warning[] = [];
  const layers: Layers = writtenBelow(input);
  // A rule with `local` means the value from before identity, user and IST replaced it.
  const local = new Map(layers);

  setAll(layers, input.identity);
  setUser(layers, input.user);
  setIst(layers, input.ist);

  for (const rule of input.rules) {
    applyRule(rule, { layers, local, warnings });
  }

  if (input.secrets !== undefined) {
    setSecrets(layers, input.secrets);
  }

  if (input.hideToken === true) {
    layers.delete('CYCLE_API_TOKEN');
  }

  const variables = [...layers.values()].filter(({ name }) => !name.startsWith('WARP_INIT_'));
  return { variables, warnings };
}

/** Variables of the environment as the operator wrote it, before platform, user and secrets. */
export function buildWrittenVariables(written: WrittenLayers): readonly Variable[] {
  return buildEnvironment({
    ...written,
    identity: [],
    user: undefined,
    ist: { services: [] },
    secrets: undefined,
  }).variables;
}

/**
 * The identifier in a value that is a `warp-secret:IDENTIFIER` reference. Names that come from the platform
 * (a hub, a service) are data of others, so only what the operator wrote can refer to a secret.
 */
export function referencedSecret(variable: Variable): string | undefined {
  const { value, origin } = variable;
  const isWritten = origin === 'inherited' || origin === 'dotenv' || origin === 'variables';
  return isWritten && typeof value === 'string' && value.startsWith(referencePrefix)
    ? value.slice(referencePrefix.length)
    : undefined;
}

const referencePrefix = 'warp-secret:';

function writtenBelow(written: WrittenLayers): Layers {
  const layers: Layers = new Map();

  for (const [name, value] of written.inherited) {
    layers.set(name, { name, value, origin: 'inherited' });
  }

  for (const { path, values } of written.dotenv) {
    for (const [name, value] of values) {
      if (!layers.has(name)) {
        layers.set(name, { name, value, origin: 'dotenv', from: path });
      }
    }
  }

  return layers;
}

function setAll(layers: Layers, variables: readonly Variable[]): void {
  for (const variable of variables) {
    layers.set(variable.name, variable);
  }
}

function setUser(layers: Layers, user: UserVariables | undefined): void {
  if (user === undefined) {
    return;
  }

  layers.set('HOME', { name: 'HOME', value: user.home, origin: 'user' });

  for (const name of ['USER', 'LOGNAME']) {
    // What is there names whoever started init: wrong is worse than absent.
    layers.delete(name);

    if (user.name !== undefined) {
      layers.set(name, { name, value: user.name, origin: 'user' });
    }
  }
}

function setIst(layers: Layers, ist: EnvironmentInput['ist']): void {
  for (const { name: from, address, variables } of ist.services) {
    if (address !== undefined) {
      for (const { name, rule } of variables) {
        layers.set(name, { name, value: address, origin: 'ist', from, istRule: rule });
      }
    }
  }
}

type RuleContext = {
  readonly layers: Layers;
  readonly local: ReadonlyMap<string, Variable>;
  readonly warnings: Warning[];
};

function applyRule(rule: VariableRule, { layers, local, warnings }: RuleContext): void {
  const { name } = rule;

  switch (rule.kind) {
    case 'literal':
      layers.set(name, { name, value: rule.value, origin: 'variables' });
      return;
    case 'empty':
      layers.set(name, { name, value: '', origin: 'variables' });
      return;
    case 'undef':
      layers.delete(name);
      return;
    case 'local': {
      const found = local.get(name);

      if (found === undefined) {
        layers.delete(name);
        warnings.push(missingLocal(name));
        return;
      }

      const from = found.from ?? 'inherited environment';
      layers.set(name, { name, value: found.value, origin: 'variables', from });
      return;
    }
  }
}

function missingLocal(name: string): Warning {
  return {
    code: 'W_VARIABLE_LOCAL',
    message: `The variable ${name} is \`{local: true}\`, and the inherited environment has none of that name: the app starts without it`,
    where: `variables.${name}`,
    fix: `Pass ${name} to the container, or give it a value in warp.config.js.`,
  };
}

function setSecrets(layers: Layers, secrets: ResolvedSecrets): void {
  for (const variable of secrets.bulk) {
    const current = layers.get(variable.name);

    if (current === undefined || referencedSecret(current) === undefined) {
      layers.set(variable.name, variable);
    }
  }

  setAll(layers, secrets.named);

  for (const variable of layers.values()) {
    const identifier = referencedSecret(variable);
    const value = identifier === undefined ? undefined : secrets.references.get(identifier);

    if (value !== undefined && identifier !== undefined) {
      layers.set(variable.name, { name: variable.name, value, origin: 'secret', from: identifier });
    }
  }
}
