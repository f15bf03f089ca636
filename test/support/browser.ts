import { spawnSync } from 'node:child_process';
import { type Browser as Chromium, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser of this machine; undefined where there is none. */
export function findBrowser(): string | undefined {
  for (const name of NAMES) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
    if (found !== '' && spawnSync(found, ['--version'], { stdio: 'ignore' }).status === 0) return found;
  }
  return undefined;
}

/** One page of a headless Chromium, which remembers what it asked for and what it complained about. */
export class Browser implements AsyncDisposable {
  readonly page: Page;
  readonly #chromium: Chromium;
  /** Exceptions, console errors, refused loads. */
  readonly complaints: string[] = [];
  /** Addresses that the page asked for. */
  readonly requests: string[] = [];

  private constructor(browser: Chromium, page: Page) {
    this.#chromium = browser;
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.complaints.push(message.text()));
    page.on('request', (request) => this.requests.push(request.url()));
  }

  static async start(executablePath: string): Promise<Browser> {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    return new Browser(browser, await browser.newPage({ viewport: { width: 1300, height: 900 } }));
  }

  async open(file: string): Promise<void> {
    this.complaints.length = 0;
    this.requests.length = 0;
    await this.page.goto(`file://${file}`);
  }

  /** The value of an expression in the page. */
  value<T>(expression: string): Promise<T> {
    return this.page.evaluate<T>(expression);
  }

  /** Presses a key as a person does. */
  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key);
    await this.drawn();
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
    await this.drawn();
  }

  async dark(): Promise<void> {
    await this.page.emulateMedia({ colorScheme: 'dark' });
    await this.drawn();
  }

  /** Resolves after the next two frames: what the last event asked for is drawn. */
  async drawn(): Promise<void> {
    await this.value('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.close();
  }
}
