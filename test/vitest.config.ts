// Two projects: `core` is pure and fast (part of `npm run check`), `system` starts real processes.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'core',
          root: 'test',
          include: ['core/**/*.test.ts', 'link/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'system',
          root: 'test',
          include: ['**/*.test.ts'],
          exclude: ['core/**', 'link/**'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
