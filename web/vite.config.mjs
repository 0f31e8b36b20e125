// How the page is built: one index.html with hashed files in assets/, nothing inline (the daemon serves it under a strict
// Content-Security-Policy) and nothing from outside.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// For development beside a running daemon: FERRY_TARGET=http://127.0.0.1:7878 FERRY_TOKEN_FILE=<data_dir>/token npm run dev
const target = process.env.FERRY_TARGET ?? 'http://127.0.0.1:7878';
const tokenFile = process.env.FERRY_TOKEN_FILE;

const daemon = {
  target,
  configure(proxy) {
    proxy.on('proxyReq', (request) => {
      if (tokenFile) request.setHeader('Authorization', `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`);
      request.removeHeader('Origin'); // the daemon refuses origins other than its own
    });
    // Without this an event stream would stay open when the daemon ends.
    proxy.on('proxyRes', (answer, _, response) => answer.on('close', () => answer.complete || response.destroy()));
  },
};
const proxy = { '/api': daemon };

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  cacheDir: process.env.FERRY_WEB_CACHE ?? 'node_modules/.vite',
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    reportCompressedSize: false,
  },
  // scripts/setup may keep node_modules outside of the tree.
  server: { proxy, host: '127.0.0.1', fs: { strict: false } },
  preview: { proxy, host: '127.0.0.1' },
});
