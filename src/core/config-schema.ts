// The valibot schema of `warp.config.js`: just the keys that init reads. Other keys of Warp pass unseen.
//
// Built on the first use: a start without a config file never pays for it.
import * as v from 'valibot';
import { certificateFiles, envFile, filePath, secretFiles } from './config-schema-files.ts';
import { resourceLimits } from './config-schema-limits.ts';
import {
  anObject,
  closed,
  flag,
  oneOrMany,
  parsed,
  textWithoutNul,
  word,
} from './config-schema-parts.ts';
import { reload } from './config-schema-reload.ts';
import {
  logFormats,
  logLevels,
  parseAbsolutePath,
  parseHostname,
  parseServiceVariable,
  parseText,
  parseUser,
  parseVariableName,
} from './config-words.ts';
import { parseDuration } from './duration.ts';
import { parseExitStatus, parseRewrite, parseSignal } from './signals.ts';

export type ConfigSchema = ReturnType<typeof buildSchema>;
export type CheckedConfig = v.InferOutput<ConfigSchema>;
/** `init`, checked; durations and signals are still text, which is known to parse. */
export type CheckedIstEntry = v.InferOutput<ReturnType<typeof istEntry>>;
export type CheckedInit = v.InferOutput<ReturnType<typeof initSchema>>;

let schema: ConfigSchema | undefined;

export function configSchema(): ConfigSchema {
  schema ??= buildSchema();
  return schema;
}

function buildSchema() {
  return v.pipe(
    anObject(),
    v.looseObject({
      args: v.optional(oneOrMany(textWithoutNul())),
      variables: v.optional(variables()),
      deployment: v.optional(
        v.pipe(
          anObject(),
          v.looseObject({ port: v.optional(port()), variables: v.optional(variables()) }),
        ),
      ),
      ist: v.optional(oneOrMany(istEntry())),
      init: v.optional(initSchema()),
    }),
  );
}

function initSchema() {
  return closed({ ...optionsOfRun(), ...ofPlatform(), ...ofApp(), ...ofFiles() });
}

/** Those that the command line and WARP_INIT_* have too. */
function optionsOfRun() {
  return {
    socket: v.optional(parsed(parseText)),
    dotenv: v.optional(oneOrMany(parsed(parseText))),
    user: v.optional(parsed(parseUser)),
    exec: v.optional(flag()),
    debug: v.optional(flag()),
    rewrite: v.optional(oneOrMany(parsed(parseRewrite))),
    exitStatus: v.optional(oneOrMany(parsed(parseExitStatus))),
    singleChild: v.optional(flag()),
    subreaper: v.optional(flag()),
    parentDeath: v.optional(parsed(parseSignal)),
    stopSignal: v.optional(parsed(parseSignal)),
    killDelay: v.optional(parsed(parseDuration)),
    linger: v.optional(parsed(parseDuration)),
    logLevel: v.optional(word(logLevels)),
    logFormat: v.optional(word(logFormats)),
  };
}

function ofPlatform() {
  return {
    follow: v.optional(flag()),
    platform: v.optional(
      closed({ required: v.optional(flag()), deadline: v.optional(parsed(parseDuration)) }),
    ),
    ist: v.optional(
      closed({
        family: v.optional(word(['auto', 'ipv4', 'ipv6'])),
        variables: v.optional(word(['all', 'explicit', 'none'])),
      }),
    ),
    hosts: v.optional(
      closed({
        addresses: v.optional(word(['all', 'chosen'])),
        onError: v.optional(word(['warn', 'fail'])),
      }),
    ),
    nsswitch: v.optional(word(['warn', 'fix', 'fail', 'ignore'])),
    secrets: v.optional(
      closed({
        env: v.optional(secretVariables()),
        dotenv: v.optional(oneOrMany(parsed(parseText))),
        files: v.optional(secretFiles()),
        allowEmpty: v.optional(oneOrMany(parsed(parseText))),
      }),
    ),
  };
}

function ofApp() {
  return {
    cwd: v.optional(parsed(parseAbsolutePath)),
    noNewPrivileges: v.optional(flag()),
    limits: v.optional(resourceLimits()),
    hideToken: v.optional(flag()),
    reload: v.optional(reload()),
  };
}

function ofFiles() {
  return {
    stateDirectory: v.optional(filePath()),
    envFile: v.optional(envFile()),
    certificates: v.optional(certificateFiles()),
  };
}

function istEntry() {
  return closed({
    service: parsed(parseText),
    variables: v.optional(oneOrMany(parsed(parseServiceVariable))),
    hostnames: v.optional(oneOrMany(parsed(parseHostname))),
  });
}

function variables() {
  return v.pipe(
    anObject(),
    v.check(hasNoLostKey, notLost),
    v.record(parsed(parseVariableName), variableValue()),
  );
}

const notLost = 'names other than constructor, prototype and __proto__';

/** valibot's record skips these without a word. */
function hasNoLostKey(value: Record<string, unknown>): boolean {
  return !['constructor', 'prototype', '__proto__'].some((key) => Object.hasOwn(value, key));
}

function variableValue() {
  const words = 'text without NUL, {local: true}, {empty: true} or {undef: true}';
  return v.union(
    [
      textWithoutNul(words, words),
      v.strictObject({ local: v.literal(true) }),
      v.strictObject({ empty: v.literal(true) }),
      v.strictObject({ undef: v.literal(true) }),
    ],
    words,
  );
}

function secretVariables() {
  const words = '"all", "none" or an object of NAME: "identifier"';
  const identifiers = v.record(parsed(parseVariableName), parsed(parseText));
  return v.lazy((input) =>
    typeof input === 'string'
      ? v.picklist(['all', 'none'], words)
      : v.pipe(anObject(words), v.check(hasNoLostKey, notLost), identifiers),
  );
}

function port() {
  const words = 'a port, from 1 to 65535';
  return v.pipe(v.number(words), v.integer(words), v.minValue(1, words), v.maxValue(65_535, words));
}
