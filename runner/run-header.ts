import type { GivenValues } from './events.ts';
import type { Outline } from './outline.ts';

/** What was run, by whom, where and with what; written once, when the run begins. Holds no secrets. */
export interface RunHeader extends GivenValues {
  version: 1;
  run: string;
  startedAt: string;
  reeve: string;
  node: string;
  playbook: { file: string; name: string };
  /** The files the playbook and the inventory were read from, as they were then. */
  files: { path: string; sha256: string; copy: string }[];
  inventory: string[];
  /** The same by its parts, for telling what changed since. */
  outline?: Outline;
  /** The approval of what was run, where the playbook asks for one. */
  approved?: string;
  options: {
    check: boolean;
    diff: boolean;
    forks: number;
    limit?: string;
    tags: string[];
    skipTags: string[];
    /** Locks beside the playbook's own. */
    locks?: string[];
    onFailure?: 'stop' | 'rollback' | 'pause';
  };
  operator: { user: string; host: string; cwd: string };
  /** Of the playbook's repository, when there is one. */
  git?: { commit: string; dirty: boolean; branch: string };
  /** Set when it runs in CI: the job's address, as far as the environment tells. */
  ci?: { name: string; url?: string };
}
