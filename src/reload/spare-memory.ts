// Keeps the brain small beside an app that it shares the memory of a container with.
//
// V8 lets a heap grow long before it looks for what is dead: a thousand reloads of three services took 50 MB more, all of it
// garbage (measured on Node 20 and 24). So new objects keep the room that they have at first, and some time after a
// reload everything is collected: 5 to 20 ms in which nothing is due.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** From the first reload: many in a row are collected together. */
const delayMs = 1000;

/** @returns To be called after each reload. */
export function spareMemory(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      collect();
    }, delayMs).unref();
  };
}

let collectGarbage: unknown;

/** Node 20 takes any argument for the wish to collect new objects alone. */
const knowsWords = !process.version.startsWith('v20.');

function collect(): void {
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose-gc');
    // Contexts have it that are made from now on.
    collectGarbage = runInNewContext('gc');
  }

  if (typeof collectGarbage === 'function') {
    // `last-resort` also gives free pages back to the kernel.
    const words = { type: 'major', execution: 'sync', flavor: 'last-resort' };
    collectGarbage(...(knowsWords ? [words] : []));
  }
}
