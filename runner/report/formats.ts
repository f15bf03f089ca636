import type { RunHeader } from '../run-header.ts';
import type { RunRecord } from './record.ts';

/**
 * A report: a pure function of what a run's folder says, put in order once for all of them. The same bytes whenever it is
 * called, in pieces: of a large run each takes a while to make.
 */
export type Render = (header: RunHeader, record: RunRecord) => Iterable<string>;

export const FORMATS = ['md', 'html', 'json', 'junit', 'github'] as const;
export type Format = (typeof FORMATS)[number];

/** What `--report DIR` writes: names of files, and what they hold. Each reporter is loaded when it is needed. */
export const REPORT_FILES: readonly { file: string; format: Format; load: () => Promise<Render> }[] = [
  {
    file: 'action-log.md',
    format: 'md',
    load: async () => (await import('./action-log/action-log.ts')).actionLogPieces,
  },
  { file: 'report.html', format: 'html', load: async () => inOnePiece((await import('./html/html.ts')).html) },
  { file: 'report.json', format: 'json', load: async () => inOnePiece((await import('./run-json.ts')).runJson) },
  { file: 'junit.xml', format: 'junit', load: async () => inOnePiece((await import('./junit.ts')).junit) },
  {
    file: 'github-annotations.txt',
    format: 'github',
    load: async () => inOnePiece((await import('./github.ts')).githubAnnotations),
  },
  {
    file: 'github-summary.md',
    format: 'github',
    load: async () => inOnePiece((await import('./github.ts')).githubSummary),
  },
];

function inOnePiece(whole: (header: RunHeader, record: RunRecord) => string): Render {
  return (header, record) => [whole(header, record)];
}
