// The Node of the brain, as `check` judges it: real ones, tested and not tested, and one that is too old for any command.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import type { CheckReport } from '../../src/core/check-report.ts';
import { describeContainer, runContainer } from '../helpers/container.ts';
import type { Ended } from '../helpers/container.ts';
import { findNode, nodeLines, tooOldNode, unsupportedNodes, untestedNode } from '../nodes/nodes.ts';
import type { NodeVersion } from '../nodes/nodes.ts';

const areRequired = process.env['WARP_INIT_REQUIRE_NODES'] === '1';

test.skipIf(!areRequired).each(unsupportedNodes)(
  'Node %s is there (`npm run nodes` fetches it)',
  (version) => {
    expect(findNode(version)).toBeDefined();
  },
);

/** Skipped where it was not fetched. */
function describeNode(version: NodeVersion, body: (file: string) => void): void {
  const directory = findNode(version);
  const reason = directory === undefined ? ' (skipped: `npm run nodes` fetches it)' : '';
  describe.skipIf(directory === undefined)(`Node ${version}${reason}`, () => {
    body(join(directory ?? '', 'node'));
  });
}

function runUnder(node: string, args: readonly string[]): Promise<Ended> {
  return runContainer({ args, env: { WARP_INIT_NODE: node } });
}

async function findingUnder(node: string): Promise<unknown> {
  const { status, stdout, stderr } = await runUnder(node, ['check', '--json', '--', 'true']);
  expect([status, stderr]).toEqual([0, '']);
  const { findings }: CheckReport = JSON.parse(stdout);
  return findings.find(({ id }) => id === 'node');
}

describeContainer('check, under a Node that is tested', () => {
  for (const line of nodeLines) {
    describeNode(line, (node) => {
      test('names it, and where it is', async () => {
        expect(await findingUnder(node)).toMatchObject({
          verdict: 'ok',
          reason: expect.stringMatching(new RegExp(String.raw`^Node v${line}\.[\d.]+, ${node}$`)),
        });
      });
    });
  }
});

describeContainer('under a Node that is not tested', () => {
  describeNode(untestedNode, (node) => {
    test('check warns, and names those that are', async () => {
      expect(await findingUnder(node)).toEqual({
        id: 'node',
        subject: null,
        verdict: 'warning',
        reason: expect.stringMatching(/^warp-init is not tested with Node v23\.[\d.]+$/),
        code: 'W_NODE',
        where: node,
        fix: 'Use Node 20, 22, 24, 26, or name one in WARP_INIT_NODE.',
        exitStatus: null,
      });
    });

    test('the table shows it, and that the app would start', async () => {
      const { status, stdout } = await runUnder(node, ['check', '--', 'true']);

      expect(status).toBe(0);
      expect(stdout).toMatch(/^Warnings \(2\)\n {2}node {4}warp-init is not tested with Node/m);
      expect(stdout).toMatch(/^ok, 2 warnings: the app would start$/m); // The other: no platform.
    });

    test('the app does start', async () => {
      const { status, stdout } = await runUnder(node, ['--', 'echo', 'the app ran']);

      expect([status, stdout]).toEqual([0, 'the app ran\n']);
    });
  });
});

describeContainer('under a Node that is too old', () => {
  const refusal =
    /^warp-init: Cannot run on Node v20\.18\.\d+\. Install Node 20\.19 or newer, or name one in WARP_INIT_NODE\.\n/;

  describeNode(tooOldNode, (node) => {
    test.each([['check'], ['run'], ['--version']])(
      '`%s` says so and ends with 70',
      async (word) => {
        const words = word === '--version' ? [word] : [word, '--', 'echo', 'the app ran'];
        const { status, stdout, stderr } = await runUnder(node, words);

        expect([status, stdout]).toEqual([70, '']);
        expect(stderr).toMatch(refusal);
      },
    );

    test('--plain, which needs no Node, starts the app', async () => {
      const { status, stdout } = await runUnder(node, ['--plain', '--', 'echo', 'the app ran']);

      expect([status, stdout]).toEqual([0, 'the app ran\n']);
    });
  });
});
