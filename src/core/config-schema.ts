// The valibot schema of `warp.config.js`: just the keys that init reads. Other keys of Warp pass unseen.
//
// Built on the first use: a start without a config file never pays for it. The message of each schema is what it
// expects, in words; a second line, where there is one, is a suggestion (core/config.ts reads both).
import * as v from 'valibot';
import {
  logFormats,
  logLevels,
  parseHostname,
  parseServiceVariable,
  parseText,
  parseUser,
  parseVariableName,
} from './config-words.ts';
import { parseDuration } from './duration.ts';
import { parseExitStatus, parseRewrite, parseSignal } from './signals.ts';
import { oneOf, refuseWord } from './suggest.ts';
import type { Parsed } from './suggest.ts';

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
      args: v.optional(oneOrMany(v.pipe(v.string('text'), v.check(hasNoNul, 'text without NUL')))),
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
  return closed({
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
        allowEmpty: v.optional(oneOrMany(parsed(parseText))),
      }),
    ),
  });
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
    v.check(hasNoLostKey, 'names other than constructor, prototype and __proto__'),
    v.record(parsed(parseVariableName), variableValue()),
  );
}

/** valibot's record skips these without a word. */
function hasNoLostKey(value: Record<string, unknown>): boolean {
  return !['constructor', 'prototype', '__proto__'].some((key) => Object.hasOwn(value, key));
}

function variableValue() {
  const words = 'text without NUL, {local: true}, {empty: true} or {undef: true}';
  return v.union(
    [
      v.pipe(v.string(words), v.check(hasNoNul, words)),
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
      : v.pipe(anObject(words), identifiers),
  );
}

function port() {
  const words = 'a port, from 1 to 65535';
  return v.pipe(v.number(words), v.integer(words), v.minValue(1, words), v.maxValue(65_535, words));
}

/** An object that has these keys and no others. valibot's own strictObject stops at the first unknown key. */
function closed<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = Object.keys(entries);

  return v.pipe(
    anObject(),
    v.looseObject(entries, 'a value'),
    v.rawCheck(({ dataset, addIssue }) => {
      const input = isObject(dataset.value) ? dataset.value : {};
      for (const [key, value] of Object.entries(input)) {
        if (!known.includes(key)) {
          const message = messageOf(refuseWord(key, known));
          addIssue({ message, path: [{ type: 'object', origin: 'key', input, key, value }] });
        }
      }
    }),
  );
}

/** Either shape is checked by itself, so that a problem's path is that of what was written. */
function oneOrMany<Item extends v.GenericSchema>(item: Item) {
  const items = v.array(item);
  return v.lazy((input) => (Array.isArray(input) ? items : item));
}

/** Text that `parse` accepts. It stays text: core/settings.ts parses what the command line gives, too. */
function parsed<T>(parse: (text: string) => Parsed<T>) {
  const refusal = parse('');
  return v.pipe(
    v.string(refusal.ok ? 'text' : refusal.expected),
    v.rawCheck(({ dataset, addIssue }) => {
      const result = dataset.typed ? parse(dataset.value) : undefined;

      if (result?.ok === false) {
        addIssue({ message: messageOf(result) });
      }
    }),
  );
}

function word<const Words extends readonly string[]>(words: Words) {
  return v.picklist(words, ({ input }) =>
    typeof input === 'string' ? messageOf(refuseWord(input, words)) : oneOf(words),
  );
}

function messageOf(refusal: Parsed<never>): string {
  return refusal.ok ? '' : [refusal.expected, refusal.suggestion ?? []].flat().join('\n');
}

function anObject(words = 'an object') {
  return v.custom<Record<string, unknown>>(isObject, words);
}

function flag() {
  return v.boolean('true or false');
}

function hasNoNul(value: string): boolean {
  return !value.includes('\0');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
