/** Keeps what is about to be removed or replaced in the run's directory on the target, whatever it is. */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { backupsOf, type ReadTarget } from '../../runner/module.ts';
import { quotePath } from './quote.ts';

export interface KeptEntry {
  path: string;
  /** Where the copy is on the target. */
  copy: string;
}

/** Where an entry will be kept: in a directory of its own, so that names never meet, and as long as the run's other copies. */
export function placeToKeep(path: string, target: Pick<ReadTarget, 'stateDir' | 'runId'>): KeptEntry {
  return { path, copy: `${backupsOf(target)}/${randomBytes(9).toString('hex')}/entry` };
}

/** Shell text that copies an entry: links as links, directories with all in them. */
export function keepScript({ path, copy }: KeptEntry): string {
  // 0700, since backups may hold secrets.
  return `(umask 077; mkdir -p ${quotePath(dirname(copy))}) && cp -pPR ${quotePath(path)} ${quotePath(copy)} || exit 1`;
}

/**
 * Shell text that succeeds when an entry is the same as its copy: a rollback that was killed has put it back, or the run
 * died before it was touched.
 */
export function isBackScript({ path: at, copy: from }: KeptEntry): string {
  const [path, copy] = [quotePath(at), quotePath(from)];
  const sameLink = `[ -L ${copy} ] && [ -L ${path} ] && [ "$(readlink ${path})" = "$(readlink ${copy})" ]`;
  const sameFile = `[ -f ${copy} ] && cmp -s ${copy} ${path}`;
  const sameTree = `[ -d ${copy} ] && [ -d ${path} ] && diff -r ${copy} ${path} >/dev/null 2>&1`;
  return `{ { ${sameLink}; } || { [ ! -L ${copy} ] && [ ! -L ${path} ] && { { ${sameFile}; } || { ${sameTree}; }; }; }; }`;
}

/** Shell text that succeeds when there is an entry and no copy of it: the run died before it made one. */
export function isUntouchedScript({ path: at, copy: from }: KeptEntry): string {
  const [path, copy] = [quotePath(at), quotePath(from)];
  return `{ [ ! -e ${copy} ] && [ ! -L ${copy} ] && { [ -e ${path} ] || [ -L ${path} ]; }; }`;
}

/** Shell text that puts the copy back in the place of what is there now. */
export function keptUndoScript(kept: KeptEntry): string {
  const [path, copy] = [quotePath(kept.path), quotePath(kept.copy)];
  const beside = quotePath(`${kept.path}.reeve-undo`);
  return `[ -e ${copy} ] || [ -L ${copy} ] || { echo 'the copy is gone: '${copy} >&2; exit 1; }
rm -rf ${beside} && cp -pPR ${copy} ${beside} && rm -rf ${path} && mv ${beside} ${path}`;
}
