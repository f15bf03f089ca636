import { visible } from '../visible.ts';

/** Text as Markdown shows it as it is: nothing in it becomes a heading, a link or HTML. */
export function plainText(text: string): string {
  return text
    .replaceAll(/[\\`*[\]<]/g, (character) => (character === '<' ? '&lt;' : `\\${character}`))
    .replaceAll(/(?<!\w)_|_(?!\w)/g, '\\_')
    .replaceAll(/^(\s*)(#{1,6}|[>+=-]+)(?=\s)/gm, '$1\\$2')
    .replaceAll(/^(\s*\d+)([.)])(?=\s)/gm, '$1\\$2')
    .replaceAll(/\n+/g, ' ')
    .trim();
}

/** Text that is Markdown already, such as a description: only what would end its line or its cell, or is HTML, goes. */
export function prose(text: string): string {
  return text
    .replaceAll('<', '&lt;')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}

/** Text in a line of code. */
export function code(text: string): string {
  const flat = text.replaceAll(/\s*\n\s*/g, ' ⏎ ');
  const ticks = '`'.repeat(longestRun(flat) + 1);
  return flat.startsWith('`') || flat.endsWith('`') ? `${ticks} ${flat} ${ticks}` : `${ticks}${flat}${ticks}`;
}

/** Lines in a fence that nothing in them can end. */
export function fence(lines: readonly string[], language = 'text'): string[] {
  const ticks = '`'.repeat(Math.max(3, longestRun(lines.join('\n')) + 1));
  return [ticks + language, ...lines.flatMap((line) => line.split('\n')).map(visible), ticks];
}

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|') || ' ').join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)];
}

export function tick(done: boolean, text: string): string {
  return `- [${done ? 'x' : ' '}] ${text}`;
}

/** `HH:MM:SS` of a UTC time stamp. */
export function clock(at: string): string {
  return at.slice(11, 19);
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
