/** One thing that doctor looked at. */
export interface Finding {
  /** A host's name, or `cluster`. */
  subject: string;
  /** Stable, kebab-case: `connection`, `clock`. */
  check: string;
  level: 'ok' | 'warning' | 'error';
  message: string;
  /** The line that mends it. */
  fix?: string;
  /** The host could not be reached at all. */
  unreachable?: boolean;
}

/** Collects the findings about one host, or about the cluster. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #subject: string;

  constructor(subject: string) {
    this.#subject = subject;
  }

  ok(check: string, message: string): void {
    this.all.push({ subject: this.#subject, check, level: 'ok', message });
  }

  warning(check: string, message: string, fix?: string): void {
    this.#bad('warning', check, message, fix);
  }

  error(check: string, message: string, fix?: string): void {
    this.#bad('error', check, message, fix);
  }

  unreachable(message: string, fix?: string): void {
    this.#bad('error', 'connection', message, fix, true);
  }

  #bad(level: 'warning' | 'error', check: string, message: string, fix?: string, unreachable = false): void {
    this.all.push({
      subject: this.#subject,
      check,
      level,
      message,
      ...(fix === undefined ? {} : { fix }),
      ...(unreachable ? { unreachable } : {}),
    });
  }
}
