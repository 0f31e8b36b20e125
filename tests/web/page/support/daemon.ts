// A ferryd of its own for one test file: in a folder of its own, on a free port, ended with all that it started.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until';

export const programs = process.env['FERRY_BIN'] ?? fileURLToPath(new URL('../../../../build/dev/bin', import.meta.url));
const jobs = fileURLToPath(new URL('../../jobs', import.meta.url));

export class Daemon {
  readonly folder = mkdtempSync(join(tmpdir(), 'ferry-page-'));
  port = 0;
  settings: string[] = []; // further lines of its configuration
  private process: ChildProcess | null = null;

  async start(slots = 2): Promise<void> {
    if (this.port === 0) {
      this.port = await freePort();
      const types = readFileSync(join(jobs, 'job_types.toml'), 'utf8').replaceAll('@jobs@', jobs);
      const settings = [
        '[storage]', `data_dir = "${join(this.folder, 'data')}"`, 'durability = "normal"', 'free_mib_min = 0',
        '[http]', `socket = "${join(this.folder, 'f.sock')}"`,
        '[http.tcp]', `listen = "127.0.0.1:${this.port}"`,
        '[devices.gpu]', 'enabled = false',
        '[devices.cpu]', `slots = ${slots}`,
        ...this.settings,
      ];
      writeFileSync(join(this.folder, 'ferry.toml'), settings.join('\n') + '\n' + types);
    }
    const environment = { ...process.env, PATH: programs + delimiter + process.env['PATH'] };
    this.process = spawn(join(programs, 'ferryd'), ['--config', join(this.folder, 'ferry.toml')], {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    this.process.stderr?.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-4_000)));
    await until('the daemon answers', async () => {
      if (this.process?.exitCode !== null) throw new Error(`ferryd ended: ${said}`);
      return (await this.request('/status').catch(() => null)) !== null;
    });
  }

  // Ends the daemon alone; its jobs go on.
  async stop(): Promise<void> {
    const running = this.process;
    this.process = null;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGTERM');
    await ended;
  }

  async end(): Promise<void> {
    if (this.process) {
      await this.request('/queue/suspend', {}).catch(() => null);
      await until('nothing runs', async () => (await this.request<{ counts: { running: number } }>('/status')).counts.running === 0).catch(() => null);
    }
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get token(): string {
    return readFileSync(join(this.folder, 'data', 'token'), 'utf8').trim();
  }
  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  // A request beside the page: to prepare, and to see what the page did.
  async request<T = Record<string, unknown>>(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<T> {
    const answer = await fetch(`${this.address}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async submit(type: string, params: unknown, more: Record<string, unknown> = {}): Promise<number> {
    return (await this.request<{ id: number }>('/jobs', { type, params, ...more })).id;
  }
  // Something that runs until the gate opens.
  async submitGated(gate: string, more: Record<string, unknown> = {}, params: Record<string, unknown> = {}): Promise<number> {
    return this.submit('train', { dataset: 'cats', steps: 8, pause_at: 5, gate: join(this.folder, gate), ...params }, more);
  }
  openGate(gate: string): void {
    writeFileSync(join(this.folder, gate), '');
  }
  async job(id: number): Promise<{ status: string; position: number | null; held: boolean; params: Record<string, unknown>; name: string; priority: number; attempts: number; progress: { step: number | null } }> {
    return this.request(`/jobs/${id}`);
  }
  async waitFor(id: number, status: string): Promise<void> {
    await until(`job ${id} is ${status}`, async () => (await this.job(id)).status === status);
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
