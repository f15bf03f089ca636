import { styleText } from 'node:util';
import type { TaskStatus } from '../events.ts';

/** Colours text, or leaves it as it is where the reader takes no escape codes. */
export interface Painter {
  status(status: TaskStatus | 'ignored' | 'rescued', text: string): string;
  dim(text: string): string;
  bold(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  added(text: string): string;
  removed(text: string): string;
}

const COLORS = {
  ok: 'green',
  changed: 'yellow',
  skipped: 'cyan',
  unknown: 'magenta',
  failed: 'red',
  unreachable: 'red',
  ignored: 'blue',
  rescued: 'blue',
} as const;

type Style = Parameters<typeof styleText>[0];

export function painter(color: boolean): Painter {
  // The caller has decided about colour: styleText must not look at the terminal again.
  const style = (name: Style, text: string) => (color ? styleText(name, text, { validateStream: false }) : text);
  return {
    status: (status, text) => style(COLORS[status], text),
    dim: (text) => style('dim', text),
    bold: (text) => style('bold', text),
    warn: (text) => style('yellow', text),
    bad: (text) => style('red', text),
    added: (text) => style('green', text),
    removed: (text) => style('red', text),
  };
}
