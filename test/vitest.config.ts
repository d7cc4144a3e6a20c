// Two projects: `core` is pure and fast (part of `npm run check`), `system` starts real processes.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Most of the time of a system test is waiting, for processes and deadlines.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'core',
          root: 'test',
          include: ['core/**/*.test.ts', 'link/**/*.test.ts'],
          // Properties of all of Unicode, on a machine that has other things to do.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'system',
          root: 'test',
          include: ['**/*.test.ts'],
          exclude: ['core/**', 'link/**', 'container/**'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
