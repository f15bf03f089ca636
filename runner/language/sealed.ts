/**
 * A value that is secret: encrypted, or kept elsewhere and fetched when it is first needed. What it opens to is data:
 * never a template.
 */
export abstract class Sealed {
  /** The value itself. Known as secret to whatever masks before this returns. */
  abstract open(): unknown;

  /** What may be shown and written down of it while it is closed. */
  abstract toJSON(): unknown;
}
