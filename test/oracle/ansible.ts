import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

/** The reason why Ansible cannot be asked here, or undefined. */
export function whatIsMissing(): string | undefined {
  const version = spawnSync('ansible-inventory', ['--version'], { encoding: 'utf8' });
  if (version.error || version.status !== 0) return 'ansible is missing: `apt-get install ansible` brings it on Debian';
  const python = spawnSync('python3', ['-c', 'import ansible'], { encoding: 'utf8' });
  return python.status === 0 ? undefined : 'python3 cannot import ansible';
}

const ENVIRONMENT = {
  ANSIBLE_CONFIG: '/dev/null',
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
    this.#process = spawn('python3', [join(import.meta.dirname, 'ansible.py')], {
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
      if (done) throw new Error('ansible.py ended');
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
