// Where the browser finds the page: at the daemon itself, or, for a daemon built without the page, at Vite's preview server
// that serves the built page and passes the API on.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preview, type ProxyOptions } from 'vite';
import type { Daemon } from './daemon';

const web = fileURLToPath(new URL('../../../../web', import.meta.url));
const built = process.env['FERRY_PAGE_DIST'] ?? fileURLToPath(new URL('../../../../build/dev/web/dist', import.meta.url));

export interface Site {
  entrance: string; // the first address to open; gives access
  address: string;
  byDaemon: boolean;
  close: () => Promise<void>;
}

export async function openSite(daemon: Daemon): Promise<Site> {
  // FERRY_PAGE_BY=preview: the page as it was just built, beside a daemon with an older one inside.
  const answer = process.env['FERRY_PAGE_BY'] === 'preview' ? null : await fetch(daemon.address + '/').catch(() => null);
  if (answer?.ok && (await answer.text()).includes('id="app"')) {
    const entrance = `${daemon.address}/queue?token=${daemon.token}`;
    return { entrance, address: daemon.address, byDaemon: true, close: async () => {} };
  }
  if (!existsSync(join(built, 'index.html'))) throw new Error(`there is no built page in ${built}`);
  const proxy: Record<string, ProxyOptions> = {
    '/api': {
      target: daemon.address,
      configure: (made) => {
        made.on('proxyReq', (request) => {
          const [, token = daemon.token] = /ferry_token=([^;]+)/.exec(String(request.getHeader('Cookie') ?? '')) ?? [];
          request.setHeader('Authorization', `Bearer ${token}`);
          request.removeHeader('Cookie');
          request.removeHeader('Origin');
        });
        made.on('proxyRes', (answer, _, response) => answer.on('close', () => answer.complete || response.destroy()));
      },
    },
  };
  const server = await preview({
    root: web,
    configFile: false,
    logLevel: 'silent',
    appType: 'spa',
    build: { outDir: built },
    preview: { host: '127.0.0.1', port: 0, proxy },
  });
  const address = (server.resolvedUrls?.local[0] ?? '').replace(/\/$/, '');
  return { entrance: `${address}/queue`, address, byDaemon: false, close: () => server.close() };
}
