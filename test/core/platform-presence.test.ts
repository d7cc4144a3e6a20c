import { describe, expect, test } from 'vitest';

import { platformPresence, standaloneWarning } from '../../src/core/platform-presence.ts';

describe('whether there is a platform', () => {
  test.each([
    { socketExists: false, token: undefined, required: undefined, presence: 'standalone' },
    { socketExists: false, token: '', required: undefined, presence: 'standalone' },
    { socketExists: true, token: undefined, required: undefined, presence: 'platform' },
    { socketExists: false, token: 't', required: undefined, presence: 'platform' },
    { socketExists: true, token: 't', required: undefined, presence: 'platform' },
    { socketExists: false, token: undefined, required: true, presence: 'platform' },
    { socketExists: false, token: 't', required: false, presence: 'standalone' },
    { socketExists: false, token: undefined, required: false, presence: 'standalone' },
    { socketExists: true, token: 't', required: false, presence: 'platform' },
  ])(
    'socket $socketExists, token "$token", required $required: $presence',
    ({ presence, ...signs }) => {
      expect(platformPresence(signs)).toBe(presence);
    },
  );

  test('the warning of a standalone start names the socket that was looked for', () => {
    expect(standaloneWarning('/run/api.sock')).toMatchObject({
      code: 'W_STANDALONE',
      where: '/run/api.sock',
    });
  });
});
