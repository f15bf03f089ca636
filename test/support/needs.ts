declare module 'vitest' {
  interface TaskMeta {
    /** Why a test cannot run on this machine. */
    lacks?: string;
  }
}

/** Options of a test or suite that cannot run everywhere. */
export interface Needs {
  skip?: true;
  meta?: { lacks: string };
}

/**
 * Options of a test or suite that needs something beyond Node and a POSIX `sh`: `describe('…', needs(noSshd), …)`. Where that
 * is missing it is skipped, and `test/support/summary.ts` lists it once, at the end, by the reason.
 * @param lacks what is missing here, such as `sshd is missing`; nothing when all is there
 */
export function needs(lacks: string | false | undefined): Needs {
  return lacks ? { skip: true, meta: { lacks } } : {};
}
