// The ferryd that is measured: of its own, on a free port, with one slot on the CPU and a paused queue.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { residentMib, wait } from './machine.mjs';

const jobsPerRequest = 1_000;
const waitSeconds = 20;

export function buildFolder() {
  const found = ['release', 'dev']
    .map((preset) => fileURLToPath(new URL(`../../build/${preset}/bin`, import.meta.url)))
    .find((folder) => existsSync(join(folder, 'ferryd')));
  if (!found) throw new Error('there is no build/release/bin/ferryd: build it, or name its folder by --bin');
  return found;
}

export class Daemon {
  constructor({ work, bin }) {
    this.work = work;
    this.bin = bin;
    this.data = join(work, 'data');
    this.version = spawnSync(join(bin, 'ferryd'), ['--version'], { encoding: 'utf8' }).stdout.trim().replace(/^ferryd /, '');
  }

  async start() {
    this.port = await freePort();
    mkdirSync(this.work, { recursive: true });
    const config = join(this.work, 'ferry.toml');
    writeFileSync(config, [
      '[storage]', `data_dir = ${JSON.stringify(this.data)}`,
      '[http]', `socket = ${JSON.stringify(join(this.work, 'f.sock'))}`,
      '[http.tcp]', `listen = "127.0.0.1:${this.port}"`,
      '[devices.gpu]', 'enabled = false',
      '[devices.cpu]', 'slots = 1',
    ].join('\n') + '\n');
    const log = openSync(join(this.work, 'ferryd.log'), 'w');
    this.process = spawn(join(this.bin, 'ferryd'), ['--config', config], {
      env: { ...process.env, PATH: this.bin + delimiter + process.env.PATH },
      stdio: ['ignore', log, log],
    });
    for (const end = Date.now() + waitSeconds * 1_000; ; await wait(20)) {
      if (this.process.exitCode !== null || Date.now() > end) throw new Error(`ferryd did not start: ${readFileSync(join(this.work, 'ferryd.log'), 'utf8')}`);
      if (await this.ask('/status').catch(() => null)) break;
    }
    await this.ask('/queue/pause', {});
  }

  async end() {
    if (!this.process || this.process.exitCode !== null) return;
    const ended = new Promise((done) => this.process.once('exit', done));
    this.process.kill('SIGTERM');
    await ended;
  }

  get address() {
    return `http://127.0.0.1:${this.port}`;
  }
  get token() {
    return readFileSync(join(this.data, 'token'), 'utf8').trim();
  }
  get memoryMib() {
    return residentMib(this.process.pid);
  }

  async ask(path, body) {
    const answer = await fetch(`${this.address}/api/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async fill(jobs) {
    for (let made = 0; made < jobs; made += jobsPerRequest)
      await this.ask('/jobs', { jobs: Array.from({ length: Math.min(jobsPerRequest, jobs - made) }, (_, i) => ({ ...job(), name: `picture ${made + i + 1}` })) });
  }
}

export const job = () => ({ type: 'command', params: { argv: ['true'] } });

export function freePort() {
  return new Promise((done, failed) => {
    const server = createServer().on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
