/**
 * Check mode, one task after another on the same files: what a plan would leave is what the next plan finds.
 *
 * In a real run nothing is ever foreseen, so that all of this does nothing.
 */
import { createHash } from 'node:crypto';
import type { ReadTarget } from '../../runner/module.ts';
import type { Attributes, FileState } from './stat-parse.ts';

/** A path as it will be. What lies behind a new link is not foreseen: it cannot be told without looking. */
export type ForeseenPath =
  | { type: 'absent' }
  | { type: 'link'; link: string }
  | {
      type: 'file' | 'directory';
      mode: number;
      owner: string;
      group: string;
      /** Absent when it stays as it is. */
      content?: Buffer;
    };

/** The key of a path in `Plan.foresees`. */
function foreseeKey(target: ReadTarget, path: string): string {
  return `file/${target.host.name}${path}`;
}

/** `Plan.foresees` for some paths. */
export function foresee(target: ReadTarget, paths: Record<string, ForeseenPath>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(paths).map(([path, state]) => [foreseeKey(target, path), state]));
}

/** What earlier plans foresee for a path itself, or for a directory above it that is to be removed. */
export function foreseenPath(target: ReadTarget, path: string): ForeseenPath | undefined {
  const own = target.foreseen(foreseeKey(target, path)) as ForeseenPath | undefined;
  if (own) return own;
  for (const above of ancestors(path).reverse()) {
    const found = target.foreseen(foreseeKey(target, above)) as ForeseenPath | undefined;
    if (found) return found.type === 'absent' ? found : undefined;
  }
  return undefined;
}

/** A state as found, with what earlier plans would have changed in it. */
export function withForeseen(state: FileState, target: ReadTarget): FileState {
  const foreseen = foreseenPath(target, state.path);
  if (!foreseen) return withForeseenParent(state, target);
  if (foreseen.type === 'absent') return removed(state, target);
  if (foreseen.type !== 'link') return changed(state, foreseen);
  const entry: Attributes = { ...BLANK, type: 'link', mode: 0o777 };
  return { ...removed(state, target), entry, link: Buffer.from(foreseen.link) };
}

function removed(state: FileState, target: ReadTarget): FileState {
  const { owner, group } = state.entry ?? { owner: '', group: '' };
  const gone = ancestors(state.path).filter((path) => foreseenPath(target, path)?.type === 'absent');
  return withoutUndefined({
    path: state.path,
    readable: false,
    writable: false,
    executable: false,
    parent: gone.length === 0 || undefined,
    newcomer: state.newcomer ?? { mode: 0o644, directoryMode: 0o755, owner, group },
    missing: [...new Set([...gone, ...(state.missing ?? [])])].sort((a, b) => a.length - b.length),
  });
}

/** The directories above a path, outermost first, without the root. */
function ancestors(path: string): string[] {
  const above = dirname(path);
  return above === '' ? [] : [...ancestors(above), above];
}

function changed(state: FileState, to: Exclude<ForeseenPath, { type: 'absent' | 'link' }>): FileState {
  const { type, mode, owner, group, content } = to;
  const base = state.real ?? BLANK;
  const real: Attributes = { ...base, type, mode, owner, group, size: content?.length ?? base.size };
  return withoutUndefined({
    path: state.path,
    entry: state.entry?.type === 'link' ? state.entry : real,
    real,
    link: state.link,
    sha256: content ? createHash('sha256').update(content).digest('hex') : state.sha256,
    content: content ?? state.content,
    readable: true,
    writable: true,
    executable: state.executable,
  });
}

function withForeseenParent(state: FileState, target: ReadTarget): FileState {
  if (state.real || !state.missing) return state;
  const above = foreseenPath(target, dirname(state.path));
  const parent = above?.type === 'directory' || state.parent;
  const blocked = state.blocked !== undefined && foreseenPath(target, state.blocked) ? undefined : state.blocked;
  const missing = state.missing.filter((path) => foreseenPath(target, path)?.type !== 'directory');
  return withoutUndefined({ ...state, parent, missing, blocked });
}

/** Numbers that no real file has, so that an owner given by number is compared by its name alone. */
const BLANK: Attributes = {
  type: 'directory',
  mode: 0o755,
  size: 0,
  uid: -1,
  gid: -1,
  owner: '',
  group: '',
  mtime: 0,
  atime: 0,
  links: 1,
  device: -1,
  inode: -1,
};

function dirname(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function withoutUndefined(state: { [K in keyof FileState]: FileState[K] | undefined }): FileState {
  return Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined)) as unknown as FileState;
}
