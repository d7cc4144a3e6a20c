// `npm run test:container`: real containers, whose images setup.ts builds.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'container',
    root: 'test/container',
    globalSetup: 'setup.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
