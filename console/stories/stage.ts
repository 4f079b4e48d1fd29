// SPDX-License-Identifier: Apache-2.0
/**
 * A real server with real hosts for the stories: one `lazaret-stage` for each worker of Playwright.
 *
 *     import { expect, signIn, test } from './stage';
 *     test.use({ stageOptions: ['--hosts', '2'] });
 *     test('an alarm appears', async ({ page, stage }) => {
 *       await signIn(page, stage);
 *       await stage.ask({ do: 'drop', what: 'high', path: 'tool' });
 *     });
 *
 * With LAZARET_CONSOLE=dist the files of that folder are shown instead of those in the server's program: a change of
 * the console is tried without building the program anew.
 *
 * What can be ordered stands in tests/src/stage/mod.rs. After each story it is looked whether the page asked
 * somebody else than this machine, broke the server's policy (CSP), or threw an error.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type BrowserContext, type Page, expect, test as base } from '@playwright/test';

/** A host of the stage. */
export interface StageHost {
  host: number;
  id: string;
  name: string;
  project: string;
  folder: string;
}

/** Who may sign in. */
export interface StageUser {
  user: string;
  password: string;
  one_time?: boolean;
  user_id?: string;
}

/** The line with which a stage begins. */
export interface Ready {
  url: string;
  ca: string;
  authority: string;
  agents: string;
  database: 'sqlite' | 'postgres';
  oidc: { issuer: string; who: Record<string, string> } | null;
  admin: StageUser;
  stage: StageUser;
  hosts: StageHost[];
}

/** A file that was dropped. */
export interface Dropped {
  path: string;
  path_b64: string;
  name: string;
  sha256: string;
  size: number;
}

/** What an order is answered with; which members there are depends on the order. */
export type Answer = Record<string, unknown>;

interface Waiting {
  order: string;
  done: (answer: Answer) => void;
  failed: (error: Error) => void;
}

const PATIENCE = Number(process.env.LAZARET_PATIENCE ?? 1) || 1;

/** A time-out of a story, longer on a machine that has much else to do (see playwright.config.ts). */
export function patient(ms: number): number {
  return ms * PATIENCE;
}

/** For everything to stand: a server, a database, hosts. */
const START_MS = patient(120_000);
/** Longer than any order of a stage takes. */
const ORDER_MS = 150_000;
/** For everything to be taken down. */
const END_MS = 60_000;
/** Seconds that an order waits for an alarm; two minutes are the most. */
const ALARM_SECONDS = Math.min(120, patient(30));

const program = () =>
  process.env.LAZARET_STAGE ?? join(homedir(), '.cache/lazaret/target/debug/lazaret-stage');

/** A running stage. */
export class Stage {
  private readonly waiting: Waiting[] = [];
  private said = '';
  private ended = false;

  private constructor(
    private readonly child: ChildProcess,
    /** What it began with. */
    public ready: Ready,
  ) {}

  /** Starts one; the options are those of the command line. */
  static async start(options: string[]): Promise<Stage> {
    const child = spawn(program(), options, { stdio: ['pipe', 'pipe', 'pipe'] });
    const stage = new Stage(child, {} as Ready);
    stage.ready = (await stage.expecting('the start', START_MS, () => stage.listen())) as unknown as Ready;
    return stage;
  }

  /** Gives an order; its answer, when it was done. */
  async ask(order: { do: string } & Answer): Promise<Answer> {
    const text = JSON.stringify(order);
    const answer = await this.expecting(text, ORDER_MS, () => {
      this.child.stdin?.write(`${text}\n`);
    });
    if (answer.ok !== true) throw new Error(`${text}: ${String(answer.error)}`);
    return answer;
  }

  /** Drops files on a host. */
  async drop(order: Answer = {}): Promise<Dropped[]> {
    return (await this.ask({ do: 'drop', ...order })).files as Dropped[];
  }

  /** The server's alarm about a file of a host, waited for. */
  async alarm(path: string, host = 0): Promise<Answer> {
    return (await this.ask({ do: 'wait-alarm', path, host, seconds: ALARM_SECONDS })).alarm as Answer;
  }

  /** A user with a role. */
  async user(role: string, more: Answer = {}): Promise<StageUser> {
    return (await this.ask({ do: 'user', role, ...more })) as unknown as StageUser;
  }

  /** A request to the server, past the console; its body. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.ask({ do: 'call', method, path, body: body ?? null });
    const status = answer.status as number;
    if (status < 200 || status > 299) {
      throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body as Answer;
  }

  /** Takes everything down. */
  async end(): Promise<void> {
    if (this.ended) return;
    const gone = new Promise<void>((done) => this.child.once('exit', () => done()));
    // Also says that no more orders come.
    this.child.stdin?.end('{"do":"quit"}\n');
    const timers = [
      setTimeout(() => this.child.kill('SIGTERM'), END_MS),
      setTimeout(() => this.child.kill('SIGKILL'), END_MS + 15_000),
    ];
    await gone;
    timers.forEach(clearTimeout);
  }

  /** The next line that it says, in time. */
  private expecting(order: string, limit: number, begin: () => void): Promise<Answer> {
    return new Promise<Answer>((done, failed) => {
      if (this.ended) return failed(new Error(`${order}: the stage has ended: ${this.said}`));
      const timer = setTimeout(
        () => failed(new Error(`${order}: no answer within ${limit / 1000} s: ${this.said}`)),
        limit,
      );
      this.waiting.push({
        order,
        done: (answer) => {
          clearTimeout(timer);
          done(answer);
        },
        failed: (error) => {
          clearTimeout(timer);
          failed(error);
        },
      });
      begin();
    });
  }

  private listen(): void {
    const over = (why: string) => {
      this.ended = true;
      for (const one of this.waiting.splice(0)) {
        one.failed(new Error(`${one.order}: ${why} ${this.said}`));
      }
    };
    this.child.once('error', (e) => over(`${program()} does not start (cargo xtask test builds it): ${e}`));
    this.child.once('exit', (code, signal) => over(`the stage ended (${code ?? signal}):`));
    // A stage that ended meanwhile says so itself.
    this.child.stdin?.on('error', () => undefined);
    this.child.stderr?.on('data', (part: Buffer) => {
      this.said = (this.said + part.toString()).slice(-4000);
    });
    if (!this.child.stdout) return;
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.waiting.shift()?.done(JSON.parse(line) as Answer);
    });
  }
}

interface Own {
  /** Looks after each story at what the page did; nothing to call. */
  watched: Watched;
}

interface OfWorker {
  stage: Stage;
  /** Of the stage's command line. Stories with other options get a stage of their own. */
  stageOptions: string[];
}

/** What a page did that it must not do. */
export class Watched {
  private readonly wrongs: string[] = [];
  private readonly expected: RegExp[] = [];

  /** Something of this kind is meant to happen in this story. */
  allow(pattern: RegExp): void {
    this.expected.push(pattern);
  }

  /** Looks at a page from now on. */
  follow(page: Page): void {
    page.on('request', (request) => {
      const url = new URL(request.url());
      const own = ['127.0.0.1', 'localhost'].includes(url.hostname) || ['data:', 'blob:'].includes(url.protocol);
      if (!own) this.wrongs.push(`a request to ${request.url()}`);
    });
    page.on('pageerror', (error) => this.wrongs.push(`an error: ${error.message}`));
    page.on('console', (message) => {
      const text = message.text();
      // What the server refuses is part of many stories; what the browser refuses is not.
      if (message.type() === 'error' && !text.startsWith('Failed to load resource')) this.wrongs.push(text);
    });
    page.on('dialog', (dialog) => {
      this.wrongs.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  /** All that was not allowed. */
  unexpected(): string[] {
    return this.wrongs.filter((wrong) => !this.expected.some((pattern) => pattern.test(wrong)));
  }
}

/** As crates/server/src/console/page.rs has it. */
const policy = (nonce: string) =>
  `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; ` +
  "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Shows a console that was built into a folder, under the policy that the server has for its own. */
async function instead(context: BrowserContext, dist: string): Promise<void> {
  await context.route(/^https?:\/\/127\.0\.0\.1:\d+\/ui(\/|$)/, async (route) => {
    const { pathname } = new URL(route.request().url());
    if (/\.\w+$/.test(pathname)) return route.fulfill({ path: join(dist, pathname.slice('/ui/'.length)) });
    const nonce = randomUUID();
    const index = await readFile(join(dist, 'index.html'), 'utf8');
    return route.fulfill({
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy(nonce) },
      body: index.replaceAll('LAZARET_CSP_NONCE', nonce),
    });
  });
}

export const test = base.extend<Own, OfWorker>({
  stageOptions: [[], { option: true, scope: 'worker' }],
  stage: [
    async ({ stageOptions }, give) => {
      const stage = await Stage.start(stageOptions);
      await give(stage);
      await stage.end();
    },
    { scope: 'worker', timeout: START_MS + END_MS },
  ],
  baseURL: async ({ stage }, give) => {
    await give(stage.ready.url);
  },
  watched: [
    async ({ context }, give) => {
      if (process.env.LAZARET_CONSOLE) await instead(context, process.env.LAZARET_CONSOLE);
      const watched = new Watched();
      context.on('page', (page) => watched.follow(page));
      await give(watched);
      expect(watched.unexpected()).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Signs a browser in as its forms do, without them. */
export async function signIn(page: Page, stage: Stage, user: StageUser = stage.ready.admin): Promise<void> {
  const answer = await page.request.post(`${stage.ready.url}/api/v1/login`, {
    data: { user: user.user, password: user.password },
  });
  expect(answer.status(), await answer.text()).toBe(200);
}
