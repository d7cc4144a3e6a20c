import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

import { applySteps } from '../../src/apply/apply-steps.ts';
import type { PlanStep } from '../../src/core/plan.ts';
import { SecretBytes } from '../../src/core/secret.ts';
import { StartError } from '../../src/errors.ts';
import { tar } from './tar-writer.ts';

const root = mkdtempSync(join(tmpdir(), 'steps-'));
const owner = { mode: 0o400, uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
const good = tar([{ path: 'key.pem', content: 'KEY' }]);
const evil = tar([{ path: '../key.pem', content: 'KEY' }]);
const unchangedStep = { change: 'unchanged', warning: undefined };

afterAll(() => rmSync(root, { recursive: true }));

describe('steps say what they changed', () => {
  test('the first time all of them, then none, then the one that is different', async () => {
    const at = mkdtempSync(join(root, 'd-'));
    const steps = (text: string) => [hosts(at), secret(at, text), archive(at, good)];
    const changes = async (text: string) =>
      (await applySteps(steps(text), 'reload')).map(({ step, change }) => [step.kind, change]);

    expect(await changes('one')).toEqual([
      ['write-hosts', 'written'],
      ['write-secret', 'written'],
      ['unpack-secret', 'written'],
    ]);
    expect(await changes('one')).toEqual([
      ['write-hosts', 'unchanged'],
      ['write-secret', 'unchanged'],
      ['unpack-secret', 'unchanged'],
    ]);
    expect((await changes('two')).filter(([, change]) => change !== 'unchanged')).toEqual([
      ['write-secret', 'written'],
    ]);
  });

  test('and leave nsswitch.conf alone while the app runs', async () => {
    const warning = { code: 'W_X', message: 'x', where: 'x', fix: 'x' };
    const step = (kind: 'warn' | 'fail'): PlanStep => ({
      kind: 'nsswitch',
      path: join(root, 'nsswitch.conf'),
      decision: { kind, warning },
    });

    expect(await applySteps([step('fail')], 'reload')).toMatchObject([unchangedStep]);
    expect(await applySteps([step('warn')], 'start')).toMatchObject([{ warning }]);
    await expect(applySteps([step('fail')], 'start')).rejects.toThrow(StartError);
  });
});

describe('a bad archive', () => {
  test('at the start is an error before anything is written', async () => {
    const at = mkdtempSync(join(root, 'd-'));
    const steps = [hosts(at), secret(at, 'x'), archive(at, evil)];

    await expect(applySteps(steps, 'start')).rejects.toMatchObject({ code: 'E_ARCHIVE' });
    expect(readdirSync(at)).toEqual([]);
  });

  test('at a reload is a warning: the directory stays as it was, the other steps are done', async () => {
    const at = mkdtempSync(join(root, 'd-'));
    await applySteps([archive(at, good)], 'start');
    const [bad, other] = await applySteps([archive(at, evil), secret(at, 'x')], 'reload');

    expect(bad).toMatchObject({
      change: 'failed',
      warning: {
        code: 'W_ARCHIVE',
        message: expect.stringContaining('Cannot unpack secret "bundle"'),
        where: 'init.secrets.files',
        fix: expect.any(String),
      },
    });
    expect(other).toMatchObject({ change: 'written' });
    expect(readFileSync(join(at, 'tls/key.pem'), 'utf8')).toBe('KEY');
  });
});

describe('a file that cannot be written', () => {
  test('ends the start', async () => {
    const at = mkdtempSync(join(root, 'd-'));
    mkdirSync(join(at, 'key'));

    await expect(applySteps([secret(at, 'x')], 'start')).rejects.toMatchObject({ code: 'E_FILE' });
  });

  test('is a warning at a reload, and the steps after it are done', async () => {
    const at = mkdtempSync(join(root, 'd-'));
    mkdirSync(join(at, 'key'));
    mkdirSync(join(at, 'tls'));
    writeFileSync(join(at, 'tls/theirs'), '');
    const results = await applySteps([secret(at, 'x'), archive(at, good), hosts(at)], 'reload');

    expect(results.map(({ change, warning }) => [change, warning?.code])).toEqual([
      ['failed', 'W_FILE'],
      ['failed', 'W_FILE'],
      ['written', undefined],
    ]);
  });
});

function hosts(at: string): PlanStep {
  const entries = [{ address: '10.0.0.1', names: ['db.warp'] }];
  return { kind: 'write-hosts', path: join(at, 'hosts'), entries, onError: 'fail' };
}

function secret(at: string, text: string): PlanStep {
  const content = SecretBytes.ofText(text);
  const path = join(at, 'key');
  return { kind: 'write-secret', path, identifier: 'key', owner, allowEmpty: false, content };
}

function archive(at: string, bytes: Buffer): PlanStep {
  const content = new SecretBytes(bytes);
  const path = join(at, 'tls');
  return { kind: 'unpack-secret', path, identifier: 'bundle', owner, allowEmpty: false, content };
}
