// The schema of `init.reload`. A key that another one asks for is a problem of its own.
import * as v from 'valibot';
import { closed, oneOrMany, parsed, textWithoutNul, word } from './config-schema-parts.ts';
import { parseCatchableSignal } from './config-words.ts';
import { parseDuration, parseDurationMs } from './duration.ts';
import { type ChangeKind, reloadActions, splitCommand } from './settings-reload.ts';

export function reload() {
  return v.pipe(
    closed({
      action: v.optional(action()),
      on: v.optional(closed(onEachKind())),
      signal: v.optional(parsed(parseCatchableSignal)),
      command: v.optional(command()),
      deadline: v.optional(parsed(parseDuration)),
      quiet: v.optional(parsed(parseDuration)),
      maxWait: v.optional(parsed(parseDuration)),
    }),
    // Also beside other problems: all are to be found at once.
    v.rawCheck(({ dataset, addIssue }) => {
      const input: unknown = dataset.value;
      const problem = (key: string, message: string) => {
        const value = valueOf(input, key);
        addIssue({
          message,
          input: value,
          path: [{ type: 'object', origin: 'value', input: {}, key, value }],
        });
      };
      const asking = askingForCommand(input);
      if (asking !== undefined && valueOf(input, 'command') === undefined) {
        problem('command', `a command, which ${asking} asks for`);
      }

      const [quiet, maxWait] = ['quiet', 'maxWait'].map((key) => valueOf(input, key));
      const [quietMs, maxWaitMs] = [quiet, maxWait].map((text) =>
        typeof text === 'string' ? parseDurationMs(text) : undefined,
      );
      if (quietMs !== undefined && maxWaitMs !== undefined && maxWaitMs < quietMs) {
        problem('maxWait', `at least init.reload.quiet, ${JSON.stringify(quiet)}`);
      }
    }),
  );
}

function action() {
  return word(reloadActions);
}

function onEachKind() {
  return {
    ist: v.optional(action()),
    secrets: v.optional(action()),
    certificates: v.optional(action()),
    config: v.optional(action()),
  } satisfies Record<ChangeKind, unknown>;
}

function command() {
  return v.pipe(
    oneOrMany(textWithoutNul()),
    v.check((words) => (splitCommand(words)[0] ?? '') !== '', 'a program and its arguments'),
  );
}

/** The key that is set to `command`. */
function askingForCommand(input: unknown): string | undefined {
  const on = valueOf(input, 'on');
  const kinds = typeof on === 'object' && on !== null ? Object.entries(on) : [];
  return valueOf(input, 'action') === 'command'
    ? 'init.reload.action'
    : kinds.flatMap(([kind, chosen]) =>
        chosen === 'command' ? [`init.reload.on.${kind}`] : [],
      )[0];
}

function valueOf(input: unknown, key: string): unknown {
  return typeof input === 'object' && input !== null ? Reflect.get(input, key) : undefined;
}
