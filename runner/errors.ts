/** Where something stands in a text that a person wrote. Lines and columns count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
  endColumn?: number;
}

/** Stands for the file of what was made of the command line: no place in it means anything to a person. */
export const COMMAND_LINE = '(command line)';

/** One finding of loading or validating a file. */
export interface Diagnostic {
  /** Stable, kebab-case: `unknown-keyword`, `undefined-variable`. */
  code: string;
  severity: 'error' | 'warning';
  /** One sentence that a tired person understands. */
  message: string;
  place?: Place;
  /** What to do next. */
  hint?: string;
  related?: { message: string; place: Place }[];
}

/** The exit codes of the command line; when several apply the order is 130, 1, 6, 3, 2 (semantics of failures). */
export const EXIT = {
  done: 0,
  unexpected: 1,
  taskFailed: 2,
  unreachable: 3,
  invalid: 4,
  usage: 5,
  refused: 6,
  pending: 10,
  interrupted: 130,
} as const;

export interface ReeveErrorOptions {
  place?: Place | undefined;
  hint?: string | undefined;
  cause?: unknown;
  exitCode?: number;
  related?: { message: string; place: Place }[];
}

/** An error that reeve understands: it prints as a sentence with a place and a hint, never as a stack. */
export class ReeveError extends Error {
  readonly code: string;
  readonly place?: Place;
  readonly hint?: string;
  readonly exitCode: number;
  readonly related?: { message: string; place: Place }[];

  constructor(code: string, message: string, options: ReeveErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ReeveError';
    this.code = code;
    this.exitCode = options.exitCode ?? EXIT.unexpected;
    if (options.place) this.place = options.place;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.related) this.related = options.related;
  }
}

/** Loading or validating found errors; all of them in one go. Exit code 4. */
export class InvalidError extends ReeveError {
  readonly diagnostics: Diagnostic[];

  constructor(diagnostics: Diagnostic[]) {
    const [first, ...others] = diagnostics.filter((d) => d.severity === 'error');
    // What a task that fails with it tells; the command line prints all of them.
    const message = others.length === 0 ? first?.message : `${others.length + 1} errors; the first: ${first?.message}`;
    super('invalid', message ?? 'there are errors', { place: first?.place, hint: first?.hint, exitCode: EXIT.invalid });
    this.diagnostics = diagnostics;
  }
}

/** The host cannot be reached, or was lost on the way; counts as a failed host. */
export class UnreachableError extends ReeveError {
  constructor(message: string, options: ReeveErrorOptions = {}) {
    super('unreachable', message, { exitCode: EXIT.unreachable, ...options });
  }
}
