import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Native addons and vitest's worker threads do not mix well: every file gets a process of its own.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A condition that is waited for comes true on a busy machine too.
    expect: { poll: { timeout: 30_000 } },
    coverage: { provider: 'v8', include: ['lib/**/*.ts'] },
  },
});
