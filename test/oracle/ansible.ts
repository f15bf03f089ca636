import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

/** The reason why Ansible cannot be asked here, or undefined. */
export function whatIsMissing(): string | undefined {
  if (!command()) return 'ansible is missing';
  const found = spawnSync(interpreter(), ['-c', 'import ansible']);
  return found.status === 0 ? undefined : `${interpreter()} cannot import ansible`;
}

function command(): string | undefined {
  const folders = (process.env.PATH ?? '').split(':');
  return folders.map((folder) => join(folder, 'ansible-inventory')).find((path) => existsSync(path));
}

/** The Python that Ansible was installed for, which need not be the first in PATH. */
function interpreter(): string {
  const start = readFileSync(command()!, 'utf8').split('\n', 1)[0]!;
  return /^#!\s*(\S*python\S*)/.exec(start)?.[1] ?? 'python3';
}

const ENVIRONMENT = {
  ANSIBLE_CONFIG: join(import.meta.dirname, 'empty.cfg'),
  ANSIBLE_LOCALHOST_WARNING: 'false',
  ANSIBLE_NOCOLOR: '1',
  ANSIBLE_DEPRECATION_WARNINGS: 'false',
  LC_ALL: 'C.UTF-8',
};

/** Ansible, ready to be asked many things one after another. */
export class Ansible {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#process = spawn(interpreter(), [join(import.meta.dirname, 'ask.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...ENVIRONMENT },
    });
    this.#reader = createInterface({ input: this.#process.stdout! });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Runs `ansible-inventory …` or `ansible …` in a folder. */
  async ask(cwd: string, ...argv: string[]): Promise<Answer> {
    const answer = this.#last.then(async () => {
      this.#process.stdin!.write(`${JSON.stringify({ argv, cwd })}\n`);
      const { value, done } = await this.#lines.next();
      if (done) throw new Error('ask.py ended');
      return JSON.parse(value) as Answer;
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    this.#reader.close();
    this.#process.stdin!.end();
  }
}
