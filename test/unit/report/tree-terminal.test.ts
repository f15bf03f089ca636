import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { Terminal } from '../../support/terminal.ts';

const SHOW = resolve(import.meta.dirname, '../../support/show-synthetic.ts');

/** All that is in a terminal of this size after a synthetic run. */
async function shown(columns: number, rows: number, args: string[]): Promise<string[]> {
  using terminal = new Terminal([process.execPath, SHOW, ...args], { columns, rows });
  return (await terminal.end()).lines;
}

describe('the tree in a real terminal', needs(missing('tmux')), () => {
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
    // Cut, not wrapped: title, notice, batch, and a task with what it did.
    expect(lines.slice(start, end).filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(6);
    expect(lines.find((line) => line.includes('100 hosts'))).toMatch(/…$/);
    expect(lines.some((line) => line.includes('keep the config: 100 changed'))).toBe(true);
  });
});
