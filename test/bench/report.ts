/** One table of the report, with what is to be said about it. */
export interface Section {
  title: string;
  text: string;
  columns: string[];
  rows: string[][];
}

export function markdown({ title, text, columns, rows }: Section): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [`## ${title}`, '', text, '', line(columns), line(columns.map(() => '---')), ...rows.map(line), ''].join('\n');
}

/** The table for a terminal: columns that line up. */
export function plain({ title, columns, rows }: Section): string {
  const widths = columns.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join('  ')}`.trimEnd();
  return [`${title}`, line(columns), ...rows.map(line), ''].join('\n');
}

export const seconds = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(1)) + ' s';
export const milliseconds = (value: number): string => `${Math.round(value)} ms`;
export const ratio = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ×`;
