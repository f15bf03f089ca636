import { isUtf8 } from 'node:buffer';
import { spawn } from 'node:child_process';
import { EXIT, ReeveError } from '../../errors.ts';
import { endGroup, startGroup } from './process-groups.ts';

/** What an inventory program may print; more is no inventory. */
const MAX_OUTPUT = 256 * 1024 * 1024;

/**
 * Runs an inventory program and gives what it printed.
 * @param deadline milliseconds; the program and what it started are ended then, and when reeve is.
 * @throws ReeveError `inventory-program`.
 */
export function runProgram(file: string, args: readonly string[], deadline: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const { leader: child, ended } = startGroup(() =>
      spawn(pathOf(file), args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true }),
    );
    const output: Buffer[] = [];
    let complaint = '';
    let size = 0;
    const settle = (problem: string | undefined) => {
      clearTimeout(timer);
      ended();
      const bytes = Buffer.concat(output);
      if (problem !== undefined) reject(failed(file, problem, complaint));
      else if (!isUtf8(bytes)) reject(failed(file, 'printed something else than UTF-8 text', complaint));
      else resolve(bytes.toString('utf8'));
    };
    const end = (reason: string) => {
      endGroup(child.pid);
      // What has left its group may keep the pipes open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
      settle(reason);
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
    child.on('error', (error) => settle(`cannot be run: ${error.message}`));
    child.on('close', (code, signal) => {
      if (code === 0) settle(undefined);
      else settle(`ended with ${code === null ? `signal ${signal}` : `exit code ${code}`}`);
    });
  });
}

/** Without a slash the program would be looked for in PATH. */
function pathOf(file: string): string {
  return file.includes('/') ? file : `./${file}`;
}

function failed(file: string, what: string, complaint: string): ReeveError {
  const said = complaint.trim();
  return new ReeveError('inventory-program', `the inventory program ${file} ${what}`, {
    place: { file, line: 1, column: 1 },
    hint: said === '' ? `run it by hand: ${file} --list` : `it said: ${said}`,
    exitCode: EXIT.invalid,
  });
}
