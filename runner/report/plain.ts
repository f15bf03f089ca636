import type { EventSink, RunEvent } from '../events.ts';

export interface PlainOptions {
  verbose: boolean;
  diff: boolean;
  write(text: string): void;
}

/** Plain lines for logs and CI: one line a finished task, no escape codes. */
export function plainReporter(options: PlainOptions): EventSink {
  const line = (text: string) => options.write(`${text}\n`);
  return { handle: (event) => report(event, options, line) };
}

function report(event: RunEvent, options: PlainOptions, line: (text: string) => void): void {
  switch (event.type) {
    case 'play-started':
      line(`PLAY ${event.name} (${event.hosts.length} hosts)`);
      break;
    case 'task-ended':
      line(
        `  ${event.status.padEnd(11)} ${event.host}: ${event.task.name}${event.message ? ` — ${event.message}` : ''}`,
      );
      for (const change of event.changes) line(`              ${change.summary}`);
      if (event.error?.hint) line(`              ${event.error.hint}`);
      break;
    case 'task-progress':
      line(`  …           ${event.host}: ${event.message}`);
      break;
    case 'notice':
      line(`  ${event.level}: ${event.message}`);
      break;
    case 'run-ended':
      if (event.message) line(event.message);
      if (event.hint) line(event.hint);
      for (const [host, recap] of Object.entries(event.recap)) {
        line(
          `${host}: ${Object.entries(recap)
            .map(([name, n]) => `${name}=${n}`)
            .join(' ')}`,
        );
      }
      for (const [node, state] of Object.entries(event.nodes)) line(`node ${node} is left ${state}`);
      break;
  }
}
