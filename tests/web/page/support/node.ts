// Another machine that lends its CPU to a daemon: a second ferryd on loopback, with certificates of the test's own.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, programs, type Daemon } from './daemon';

export class LentMachine {
  private port = 0;
  private process: ChildProcess | null = null;

  constructor(
    private readonly head: Daemon,
    private readonly name: string,
  ) {}

  // Before the head is started: lets the node in.
  async prepare(): Promise<void> {
    const certs = join(this.head.folder, 'certs');
    for (const words of [['init'], ['issue', 'head', '--host', '127.0.0.1'], ['issue', this.name]])
      execFileSync(join(programs, 'ferry'), ['certs', ...words, '--dir', certs], { stdio: 'ignore' });
    this.port = await freePort();
    const files = (of: string) => [`certificate = "${join(certs, of)}.pem"`, `key = "${join(certs, of)}.key"`, `ca = "${join(certs, 'ca.pem')}"`];
    this.head.settings = ['[node]', `listen = "127.0.0.1:${this.port}"`, 'heartbeat = "100ms"', 'silent_after = "500ms"', ...files('head')];
    const settings = [
      '[storage]', `data_dir = "${join(this.head.folder, this.name)}"`, 'durability = "normal"', 'free_mib_min = 0',
      '[node]', `join = "127.0.0.1:${this.port}"`, `name = "${this.name}"`, ...files(this.name),
      '[devices.gpu]', 'enabled = false',
      '[devices.cpu]', 'slots = 1',
    ];
    writeFileSync(join(this.head.folder, `${this.name}.toml`), settings.join('\n') + '\n');
  }

  start(): void {
    if (this.process) return; // a second try of a test
    const log = openSync(join(this.head.folder, `${this.name}.log`), 'a');
    this.process = spawn(join(programs, 'ferryd'), ['--config', join(this.head.folder, `${this.name}.toml`)], { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  // As where its power fails.
  async kill(): Promise<void> {
    const running = this.process;
    this.process = null;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }
}
