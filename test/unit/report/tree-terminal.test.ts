import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const SHOW = resolve(import.meta.dirname, '../../support/show-synthetic.ts');
const socket = `reeve-${randomBytes(4).toString('hex')}`;

function tmux(...args: string[]): string {
  return spawnSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' }).stdout ?? '';
}

const hasTmux = spawnSync('tmux', ['-V']).status === 0;
if (!hasTmux) console.log('skipped: the tree in a real terminal, since tmux is not installed');

/** Runs the synthetic run in a terminal of this size; gives all that is on it in the end, also what scrolled out. */
async function shown(columns: number, rows: number, args: string[]): Promise<string[]> {
  const command = [process.execPath, SHOW, ...args].map((word) => `'${word}'`).join(' ');
  tmux('new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, '-s', 'tree', `${command}; echo all over; cat`);
  const capture = () => tmux('capture-pane', '-p', '-S', '-1000', '-t', 'tree');
  await expect.poll(capture, { timeout: 60_000, interval: 100 }).toContain('all over');
  const lines = capture().trimEnd().split('\n');
  tmux('kill-session', '-t', 'tree');
  return lines;
}

describe.skipIf(!hasTmux)('the tree in a real terminal', () => {
  afterAll(() => {
    tmux('kill-server');
  });

  it('leaves a record without traces of what was drawn before, at 3 hosts', async () => {
    const lines = await shown(80, 24, ['3', '4', '300', '', '2']);
    expect(lines[0]).toBe('Synthetic run  synthetic');
    const count = (text: string) => lines.filter((line) => line.includes(text)).length;
    expect(count('upgrade the nodes')).toBe(1);
    expect(count('3 hosts: node-001, node-002, node-003')).toBe(1);
    expect(count('│')).toBe(0);
    expect(count('RECAP')).toBe(1);
    expect(lines.filter((line) => /[✔√] node-00[13] {2}1 changed, 3 ok/.test(line))).toHaveLength(2);
  });

  it('is readable at 100 hosts in a narrow terminal', async () => {
    const lines = await shown(60, 20, ['100', '3', '100']);
    const start = lines.findIndex((line) => line.includes('upgrade the nodes'));
    const end = lines.findIndex((line) => line.includes('RECAP'));
    // Cut, not wrapped: title, batch, notice, and two tasks with what they did.
    expect(lines.slice(start, end).filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(6);
    expect(lines.find((line) => line.includes('100 hosts'))).toMatch(/…$/);
    expect(lines.some((line) => line.includes('keep the config: 100 changed'))).toBe(true);
  });
});
