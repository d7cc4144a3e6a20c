// A link to a pid1 that starts nothing and says that it has: for a rehearsal (warm.ts).
//
// It is a file, to which the brain's end appends, too: what pid1 says is what is read next.
import { appendFileSync, openSync } from 'node:fs';

import { frame } from '../link/frames.ts';
import { uint32, uint32s } from '../link/launch-frame.ts';
import { frameType, helloFlag, helloHeader, linkVersion } from '../link/layout.ts';
import { type Link, openLink } from '../link/link.ts';

type Greeting = { readonly argv: readonly string[]; readonly environment: readonly string[] };

/** @param path - Of a file that there is not. */
export function rehearsedLink(path: string, greeting: Greeting): Link {
  appendFileSync(path, frame(frameType.hello, encodeHello(greeting)));
  const link = openLink(openSync(path, 'a+'));
  return {
    ...link,
    receive: () => {
      appendFileSync(path, frame(frameType.spawned, uint32(process.pid)));
      return link.receive();
    },
  };
}

function encodeHello({ argv, environment }: Greeting): Buffer {
  const words = encodeStrings(argv);
  const variables = encodeStrings(environment);
  const fields: Partial<Record<(typeof helloHeader)[number], number>> = {
    version: linkVersion,
    flags: helloFlag.isPid1 + helloFlag.logIsPrivate,
    argument_count: argv.length,
    variable_count: environment.length,
    arguments_size: words.length,
    environment_size: variables.length,
  };
  const header = uint32s(...helloHeader.map((name) => fields[name] ?? 0));
  return Buffer.concat([header, words, variables]);
}

function encodeStrings(list: readonly string[]): Buffer {
  return Buffer.from(list.map((text) => `${text}\0`).join(''));
}
