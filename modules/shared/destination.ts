import type { ReadTarget } from '../../runner/module.ts';
import { foreseenPath } from './foresee.ts';
import { type FileState, probeEither, probeFile, probeFiles, withoutSlash } from './stat.ts';
import { sha256Of } from './write.ts';

/** Looks at dest, and at the file of that name in it, in one round trip; gives the one that is meant. */
export async function findDestination(
  dest: string,
  name: string | undefined,
  content: Buffer,
  target: ReadTarget,
): Promise<FileState> {
  const unless = { content: { unless: sha256Of(content), size: content.length } };
  if (name === undefined) return probeFile(target, { path: dest, ...unless });
  const within = `${dest.replace(/\/+$/, '')}/${name}`;
  if (dest.startsWith('/') && !foreseenPath(target, withoutSlash(dest))) {
    return probeEither(target, { path: dest, ...unless }, { path: within, ...unless });
  }
  const [at, inside] = await probeFiles(target, [
    { path: dest, ...unless },
    { path: within, ...unless },
  ]);
  return at!.real?.type === 'directory' || dest.endsWith('/') ? inside! : at!;
}
