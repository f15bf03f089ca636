/** Keeps what is about to be removed or replaced in the run's directory on the target, whatever it is. */
import { quote, quotePath } from './quote.ts';

export interface KeptEntry {
  path: string;
  /** Where the copy is on the target. */
  copy: string;
}

/** Shell text that copies an entry (links as links, directories with all in them) and leaves the place in `$kept`. */
export function keepScript(path: string, stateDir: string): string {
  const state = quotePath(stateDir);
  // A directory of its own for every copy, so that names never meet; 0700, since backups may hold secrets.
  return `(umask 077; mkdir -p ${state}) && kept=$(mktemp -d ${state}/kept.XXXXXX) && kept=$kept/entry && cp -pPR ${quotePath(path)} "$kept" || exit 1`;
}

/**
 * Shell text that succeeds when a file or a link is the same as its copy: a rollback that was killed has put it back. Of a
 * directory that cannot be told at a glance.
 */
export function isBackScript({ path: at, copy: from }: KeptEntry): string {
  const [path, copy] = [quotePath(at), quote(from)];
  const sameLink = `[ -L ${copy} ] && [ -L ${path} ] && [ "$(readlink ${path})" = "$(readlink ${copy})" ]`;
  return `{ { ${sameLink}; } || { [ -f ${copy} ] && [ ! -L ${copy} ] && [ ! -L ${path} ] && cmp -s ${copy} ${path}; }; }`;
}

/** Shell text that puts the copy back in the place of what is there now. */
export function keptUndoScript(kept: KeptEntry): string {
  const path = quotePath(kept.path);
  const beside = quotePath(`${kept.path}.reeve-undo`);
  return `[ -e ${quote(kept.copy)} ] || [ -L ${quote(kept.copy)} ] || { echo 'the copy is gone: '${quote(kept.copy)} >&2; exit 1; }
rm -rf ${beside} && cp -pPR ${quote(kept.copy)} ${beside} && rm -rf ${path} && mv ${beside} ${path}`;
}
