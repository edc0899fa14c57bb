// The instance under test: the one that CLASSCLOCK_URL names, or one of our own by ./dev up.

import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { SECRET } from './zoom.js';

const run = promisify(execFile);
const DEV = fileURLToPath(new URL('../../../dev', import.meta.url));
const PSQL = '/usr/lib/postgresql/15/bin/psql';

/** A port nobody listens on, of those that the kernel gives to nobody while the instance is not up yet, or away. */
export function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(randomInt(10_000, 32_768), '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
    server.on('error', () => resolve(freePort()));
  });
}

/** "EMAIL PASSWORD" */
function credentials(line) {
  const [email, password] = line.split(' ');
  return { email, password };
}

export class Instance {
  timer = 0;

  /** Starts, or finds, the instance with its demo academy. */
  static async open() {
    const it = new Instance();
    const { CLASSCLOCK_URL: url, CLASSCLOCK_ADMIN: admin, CLASSCLOCK_TEACHER: teacher } = process.env;

    if (url) {
      Object.assign(it, { url, admin: credentials(admin), teacher: credentials(teacher), state: process.env.CLASSCLOCK_STATE });
      return it;
    }
    it.folder = await mkdtemp(path.join(os.tmpdir(), 'classclock-ui.'));
    it.state = path.join(it.folder, 'state');
    it.env = path.join(it.folder, 'env');
    it.port = await freePort();
    await writeFile(it.env, `ZOOM_WEBHOOK_SECRET=${SECRET}\n`);
    await it.up();
    return it;
  }

  /** Starts what stopped. */
  async up() {
    const { stdout } = await run(DEV, ['up', '--state', this.state, '--port', this.port, '--env', this.env, '--detach'], { maxBuffer: 1e8 });
    const line = (name) => stdout.match(new RegExp(`^${name}: (.*)$`, 'm'))[1];

    this.url = line('url');
    this.admin = credentials(line('admin'));
    this.teacher = credentials(line('teacher'));
    // A walk says itself when classes time out: the timer would do it at any moment. What it runs already goes on.
    this.timer = parseInt(await readFile(path.join(this.state, 'pids/timer-session-timeout'), 'utf8'), 10);
    process.kill(this.timer, 'SIGSTOP');
  }

  down() {
    if (this.timer) process.kill(this.timer, 'SIGCONT'); // else nothing ends it but force
    this.timer = 0;
    return run(DEV, ['down', '--state', this.state]);
  }

  /** Runs a program of cron/, as crontab does. */
  job(name, ...options) {
    return run(DEV, ['job', name, '--state', this.state, ...options]);
  }

  /** Cuts the programs off from PostgreSQL, which nobody reaches until what is returned is called. */
  async loseDatabase() {
    const folder = path.join(await realpath(path.join(this.state, 'run')), 'pg');
    const [door, elsewhere] = [5432, 5999].map((port) => path.join(folder, `.s.PGSQL.${port}`));
    const cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'classclock_app'";

    await rename(door, elsewhere);
    await run(PSQL, ['-XqAt', '-h', folder, '-p', '5999', '-U', 'postgres', '-c', cut]);
    return () => rename(elsewhere, door);
  }

  /** Whatever was clicked, every invariant holds; else this throws. */
  async close() {
    if (!this.folder) return;
    try {
      await this.job('session-timeout'); // for classes that walks have made older
      await this.job('classclock-admin', 'check').catch(({ stdout, stderr }) => {
        throw new Error(`classclock-admin check: ${stdout}${stderr}`);
      });
    } finally {
      await this.down();
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  /** Whether the tests may look into the database, and stop the server. */
  get ours() {
    return !!this.state;
  }

  get restartable() {
    return !!this.folder;
  }

  /** SQL as superuser; what psql prints, bare. ./dev psql, but for its shell. */
  async psql(...commands) {
    const words = commands.flatMap((command) => ['-c', command]);
    const where = ['-h', path.join(await realpath(path.join(this.state, 'run')), 'pg'), '-U', 'postgres', '-d', 'classclock'];
    const env = { ...process.env, PGOPTIONS: '-c search_path=classclock,public' };
    const { stdout } = await run(PSQL, [...where, '-XqAt', '-v', 'ON_ERROR_STOP=1', ...words], { env });
    return stdout.trim();
  }

  /** Makes a session and all its evidence older, as if it had been sent that much earlier. */
  age(id, interval) {
    const older = (columns) => columns.map((name) => `${name} = ${name} - interval '${interval}'`).join(', ');
    return this.psql(
      `SET session_replication_role = replica;
       UPDATE sessions SET ${older(['sent_at', 'clicked_at', 'times_out_at', 'session_ended_at'])} WHERE id = ${id};
       UPDATE session_events SET ${older(['happened_at', 'received_at'])} WHERE session_id = ${id}`,
    );
  }

  client() {
    return new Client(this.url);
  }
}

/** Someone who talks HTTP as our pages do. */
export class Client {
  cookie = '';

  constructor(url) {
    this.url = url;
  }

  async request(method, target, body, headers = {}) {
    const response = await fetch(new URL(target, this.url), {
      method,
      redirect: 'manual',
      headers: { Origin: this.url, 'Content-Type': 'application/json', Cookie: this.cookie, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const cookie = response.headers.get('Set-Cookie');
    const text = await response.text();

    if (cookie) this.cookie = cookie.split(';')[0];
    return { status: response.status, headers: response.headers, text, json: /json/.test(response.headers.get('Content-Type') ?? '') ? JSON.parse(text) : null };
  }

  async get(target) {
    return expectOk(await this.request('GET', target), target);
  }

  async post(target, body = {}) {
    return expectOk(await this.request('POST', target, body), target);
  }

  async patch(target, body) {
    return expectOk(await this.request('PATCH', target, body), target);
  }
}

function expectOk({ status, json, text }, target) {
  if (status >= 400) throw new Error(`${target} -> ${status} ${text}`);
  return json;
}
