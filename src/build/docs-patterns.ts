// Small languages of the config as patterns of the JSON schema, recognized by what their parsers take.
import { signalName } from '../core/signals.ts';

/** Undefined where it is none of them. */
export function patternBy(accepts: (text: string) => boolean): string | undefined {
  if (accepts('/absolute') && !accepts('relative')) {
    return '^/';
  }

  return accepts('SIGTERM') && accepts('15') && !accepts('SIGFOO') ? signalPattern() : undefined;
}

/** JSON schema knows no flag for upper and lower case. */
function signalPattern(): string {
  const names = Array.from({ length: 31 }, (_, index) => signalName(index + 1).slice(3));
  const words = [...names, 'IOT', 'CLD', 'POLL'].map(inAnyCase).join('|');
  const realTime = `${inAnyCase('RT')}(?:${inAnyCase('MIN')}|${inAnyCase('MAX')})(?:[+-]\\d{1,2})?`;
  return `^(?:\\d{1,2}|(?:${inAnyCase('SIG')})?(?:${words}|${realTime}))$`;
}

function inAnyCase(word: string): string {
  return word.replaceAll(/[A-Z]/g, (letter) => `[${letter}${letter.toLowerCase()}]`);
}
