// `podman run -it` with bash as the app: a terminal that behaves as without a container.
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';

import { startInTerminal } from '../helpers/terminal.ts';
import { remove, storage } from './container.ts';
import { environment, optionsOf } from './podman.ts';
import { shopImage } from './setup.ts';

/** A prompt that no echo of what is typed has in it. */
const prompt = '$ ';

async function startShell(options: readonly string[] = []) {
  const name = `test-${randomUUID()}`;
  onTestFinished(() => remove(name));
  const run = ['run', '--rm', '--interactive', '--tty', '--pull=never', '--name', name];
  const variables = [
    '--env',
    `PS1=${prompt}`,
    '--env',
    'TERM=dumb',
    '--env',
    'WARP_INIT_LOG_LEVEL=error',
  ];
  const bash = ['bash', '--norc', '--noprofile', '--noediting'];
  const terminal = await startInTerminal(
    ['podman', ...optionsOf(storage()), ...run, ...variables, ...options, shopImage, ...bash],
    { env: environment },
  );
  await terminal.shows(prompt);
  return terminal;
}

/** Says by itself that it runs: what is typed is echoed before bash has started anything. */
const job = `sh -c 'echo runs-$((1 + 1)); exec sleep 601'`;

test('bash has job control, and says nothing of a terminal that it lacks', async () => {
  const terminal = await startShell();

  terminal.type('echo pid1=$(cat /proc/1/comm) monitor=$-\n');
  await terminal.shows(/pid1=warp-init monitor=\w*m/);
  expect(terminal.stdout.text()).not.toContain('no job control');
});

test('Ctrl-C ends what runs in front, and not the shell', async () => {
  const terminal = await startShell();

  terminal.type(`${job}; echo status=$?\n`);
  await terminal.shows('runs-2');
  terminal.type('\u0003');
  await terminal.shows(prompt);
  terminal.type('echo interrupted=$?\n');
  await terminal.shows('interrupted=130');
});

test('Ctrl-Z, bg, fg and Ctrl-C lead one job', async () => {
  const terminal = await startShell();

  terminal.type(`${job}\n`);
  await terminal.shows('runs-2');
  terminal.type('\u001A');
  await terminal.shows(/\[1\]\+\s+Stopped\s+sh -c/);
  await terminal.shows(prompt);
  terminal.type('bg\n');
  await terminal.shows(/\[1\]\+ sh -c .* &/);
  await terminal.shows(prompt);
  terminal.type('fg\n');
  await terminal.shows('exec sleep 601');
  terminal.type('\u0003');
  await terminal.shows(prompt);
  terminal.type('jobs; echo jobs=$(jobs | wc -l)\n');
  await terminal.shows('jobs=0');
});

test('a new size of the terminal reaches the shell', async () => {
  const terminal = await startShell();

  // Where bash reads a line the trap would wait for the end of it.
  terminal.type('trap "stty size" WINCH; sleep 602 & echo waits=$!; wait\n');
  await terminal.shows(/waits=\d+/);
  terminal.resize(97);
  await terminal.shows(/\d 97\r?\n/);
});

test('Ctrl-D ends the shell, and with its status the container', async () => {
  const terminal = await startShell();

  terminal.type('(exit 7)\n');
  await terminal.shows(prompt);
  terminal.type('\u0004');
  expect(await terminal.ended).toBe(7);
});
