import { describe, expect, test } from 'vitest';

import { type NameLookups, addressesOf, judgeNames } from '../../src/core/check-names.ts';
import type { Finding } from '../../src/core/check-report.ts';
import { hostsBlock, parseBlock } from '../../src/core/hosts-file.ts';
import type { HostsEntry } from '../../src/core/hosts-file.ts';

const deadlineMs = 10_000;

function entries(...lines: readonly string[]): HostsEntry[] {
  return lines.map((line) => {
    const [address = '', ...names] = line.split(' ');
    return { address, names };
  });
}

type World = {
  readonly platform: readonly string[];
  readonly hosts: readonly string[];
  /** By name: addresses, or the name of an error. */
  readonly lookups: Readonly<Record<string, readonly string[] | string>>;
  readonly nsswitch?: 'warn' | 'ignore';
  /** Without `multi on`. */
  readonly isFirstOnly?: boolean;
};

function judge({ platform, hosts, lookups, ...rules }: World): Finding[] {
  const found: NameLookups['found'] = new Map(
    Object.entries(lookups).map(([name, answer]) => [
      name,
      typeof answer === 'string' ? answer : new Set(answer),
    ]),
  );
  return judgeNames({
    wanted: addressesOf(entries(...platform)),
    written: addressesOf(entries(...hosts)),
    lookups: { found, deadlineMs },
    nsswitch: 'warn',
    isFirstOnly: false,
    ...rules,
  });
}

const db = ['10.0.0.1 db.warp', 'fd00::1 db.warp'];

describe('a hostname', () => {
  test('is fine where a lookup gives all of its addresses, in any order', () => {
    const findings = judge({
      platform: db,
      hosts: db,
      lookups: { 'db.warp': ['fd00::1', '10.0.0.1'] },
    });

    expect(findings).toMatchObject([{ verdict: 'ok', reason: /^one hostname resolves/ }].map(like));
  });

  test.each([
    ['nothing', 'ENOTFOUND', 'it does not resolve (ENOTFOUND), although /etc/hosts has 10.0.0.1'],
    ['the address of another', ['6.6.6.6'], 'it resolves to 6.6.6.6, although'],
    ['the second address of two alone', ['fd00::1'], 'it resolves to fd00::1, although'],
    ['no address', [], 'it resolves to nothing, although'],
    ['one address more', ['10.0.0.1', 'fd00::1', '10.0.0.9'], '10.0.0.9, although'],
  ])('fails where it stands in hosts and a lookup gives %s', (_what, answer, reason) => {
    const [finding] = judge({ platform: db, hosts: db, lookups: { 'db.warp': answer } });

    expect(finding).toMatchObject({
      verdict: 'failure',
      subject: 'db.warp',
      code: 'E_NAME',
      exitStatus: null,
    });
    expect(finding?.reason).toContain(reason);
  });

  test.each([
    ['fine where a lookup gives the first address alone', false, 'ok', null],
    ['a warning where that is the rule of the C library', true, 'warning', 'W_NAME_FIRST_ONLY'],
  ])('is %s', (_what, isFirstOnly, verdict, code) => {
    const lookups = { 'db.warp': ['10.0.0.1'] };
    const findings = judge({ platform: db, hosts: db, lookups, isFirstOnly });

    expect(findings.at(-1)).toMatchObject({ verdict, code });
    expect(findings[0]).toMatchObject({ verdict: 'ok' });
  });

  test('with one address has no second one to miss', () => {
    const one = ['10.0.0.1 db.warp'];
    const lookups = { 'db.warp': ['10.0.0.1'] };

    expect(judge({ platform: one, hosts: one, lookups, isFirstOnly: true })).toMatchObject([
      { verdict: 'ok' },
    ]);
  });

  test('is stale where a lookup gives the first of older addresses', () => {
    const hosts = ['10.0.0.7 db.warp', '10.0.0.8 db.warp'];
    const lookups = { 'db.warp': ['10.0.0.7'] };
    const findings = judge({ platform: db, hosts, lookups, isFirstOnly: true });

    expect(findings).toMatchObject([{ verdict: 'warning', code: 'W_NAME_STALE' }]);
  });

  test('is only a warning where the operator ignores nsswitch.conf', () => {
    const lookups = { 'db.warp': 'ENOTFOUND' };
    const [finding] = judge({ platform: db, hosts: db, lookups, nsswitch: 'ignore' });

    expect(finding).toMatchObject({ verdict: 'warning', code: 'W_NAME' });
  });

  test.each([
    ['has it with an older address', ['10.0.0.7 db.warp'], ['10.0.0.7']],
    ['does not have it yet', ['10.0.0.7 other.warp'], 'ENOTFOUND'],
  ])('is stale where hosts %s', (_what, hosts, answer) => {
    const [finding] = judge({ platform: db, hosts, lookups: { 'db.warp': answer } });

    expect(finding).toMatchObject({ verdict: 'warning', code: 'W_NAME_STALE' });
    expect(finding?.reason).toContain('the platform says 10.0.0.1, fd00::1');
  });

  test('without an answer in time is neither good nor bad', () => {
    const [finding, ...more] = judge({ platform: db, hosts: db, lookups: {} });

    expect(finding).toMatchObject({ verdict: 'warning', code: 'W_NAME_LATE' });
    expect(more).toEqual([]);
  });
});

test('of many bad hostnames twenty are named, the others counted, and none of them counts as good', () => {
  const names = Array.from({ length: 25 }, (_, index) => `s${index}.warp`);
  const lines = names.map((name) => `10.0.0.1 ${name}`);
  const lookups = Object.fromEntries(names.map((name) => [name, 'ENOTFOUND']));
  const findings = judge({ platform: lines, hosts: lines, lookups });

  expect(findings.length).toBe(21);
  expect(findings.at(-1)).toMatchObject({
    subject: null,
    verdict: 'failure',
    reason: '5 more hostnames have such a problem',
  });
});

test('the block of hosts is read back as it was written, and nothing of the operator is', () => {
  const block = entries('10.0.0.1 db.warp database.local', 'fd00::1 db.warp');
  const text = `127.0.0.1 localhost\n${hostsBlock(block)}10.0.0.9 theirs.warp # warp-init\n`;

  expect(parseBlock(text)).toEqual(block);
});

function like({ verdict, reason }: { verdict: string; reason: RegExp }): unknown {
  return { verdict, reason: expect.stringMatching(reason) };
}
