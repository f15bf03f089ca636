import { spawn } from 'node:child_process';
import { EXIT, ReeveError } from '../../errors.ts';

/** What an inventory program may print; more is no inventory. */
const MAX_OUTPUT = 256 * 1024 * 1024;

/**
 * Runs an inventory program and gives what it printed.
 * @param deadline milliseconds; the program and what it started are ended then.
 * @throws ReeveError `inventory-program`.
 */
export function runProgram(file: string, args: readonly string[], deadline: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(pathOf(file), args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const output: Buffer[] = [];
    let complaint = '';
    let size = 0;
    let ended: string | undefined;
    const end = (reason: string) => {
      ended ??= reason;
      endGroup(child.pid);
    };
    const timer = setTimeout(() => end(`did not answer within ${deadline / 1000} s`), deadline);
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT) end('printed more than 256 MB');
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-2000);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(failed(file, `cannot be run: ${error.message}`, complaint));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (ended) reject(failed(file, ended, complaint));
      else if (code !== 0)
        reject(failed(file, `ended with ${code === null ? `signal ${signal}` : `exit code ${code}`}`, complaint));
      else resolve(Buffer.concat(output).toString('utf8'));
    });
  });
}

/** Without a slash the program would be looked for in PATH. */
function pathOf(file: string): string {
  return file.includes('/') ? file : `./${file}`;
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

function failed(file: string, what: string, complaint: string): ReeveError {
  const said = complaint.trim();
  return new ReeveError('inventory-program', `the inventory program ${file} ${what}`, {
    place: { file, line: 1, column: 1 },
    hint: said === '' ? `run it by hand: ${file} --list` : `it said: ${said}`,
    exitCode: EXIT.invalid,
  });
}
