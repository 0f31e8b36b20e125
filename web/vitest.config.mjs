// The tests of the page lie in tests/web: `unit` of pure logic, `page` with a browser against a real daemon.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [svelte()],
  root: here('..'),
  cacheDir: process.env.FERRY_WEB_CACHE ?? 'web/node_modules/.vite',
  resolve: {
    alias: {
      '@': here('./src'),
      // The tests lie outside of web/, where its packages are not found by themselves.
      'playwright-core': here('./node_modules/playwright-core/index.mjs'),
      'axe-core': here('./node_modules/axe-core/axe.js'),
      vite: here('./node_modules/vite/dist/node/index.js'),
    },
  },
  test: {
    globals: true,
    watch: false,
    projects: [
      { extends: true, test: { name: 'unit', include: ['tests/web/unit/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'page',
          include: ['tests/web/page/*.test.ts'],
          // One daemon and one browser at a time: the machine may have two cores.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // A browser on a machine that is busy with other things may stand still; what needed a second try is named in the report.
          retry: 1,
        },
      },
    ],
  },
});
