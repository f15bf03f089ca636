import { quotePath, quoteWord } from '../connect/quote.ts';
import { EXIT, ReeveError } from '../errors.ts';
import type { RunResult } from '../module.ts';
import { type FoundLock, type HoldOptions, holdLock, type Lock, type LockPlace } from './held-lock.ts';

/** Runs a script on the host that the lock is on. */
export type RunScript = (script: string) => Promise<RunResult>;

export interface HostLockOptions extends HoldOptions {
  /** Of the lock on its host; `name` is what people call it. */
  lock: string;
  /** Folder of all locks on the host; made, open to every user of the host, when it is not there. */
  dir: string;
  run: RunScript;
}

type HostLockOwner = Pick<HostLockOptions, 'run' | 'lock' | 'dir' | 'holder'>;

/*
 * A lock is a folder of generations 1, 2, 3, …; the highest one is the lock, everything below is past. mkdir of the next
 * number is what exactly one of many can do, and nobody ever removes the highest: that makes taking, taking over and giving
 * back free of the gap between looking and acting. A generation holds `owner` (who, since when), `beat` (counts the
 * renewals) and, once it was given back, `free`.
 */

/**
 * Takes a lock on a host, or refuses.
 * @throws ReeveError `locked`, exit code 6, naming the holder; `lock-failed` when the folder cannot be written.
 */
export function takeHostLock(options: HostLockOptions): Promise<Lock> {
  return holdLock(new HostPlace(options), options);
}

/** The locks on a host, by name. */
export async function listHostLocks(run: RunScript, dir: string): Promise<Map<string, FoundLock>> {
  const { stdout } = await run(`for d in ${quotePath(dir)}/*; do
  [ -d "$d" ] || continue
  ${HIGHEST}
  if [ "$n" = 0 ] || [ -e "$d/$n/free" ]; then continue; fi
  ${OWNER}
  printf '%s\\n%s\\n' "\${d##*/}" "$owner"
done`);
  const lines = stdout.split('\n').slice(0, -1);
  const found = new Map<string, FoundLock>();
  for (let n = 0; n + 1 < lines.length; n += 2) found.set(lines[n]!, readOwner(lines[n + 1]!, ''));
  return found;
}

/** Takes a lock away from whoever has it; a run that has it stops before its next effect. Gives who had it. */
export async function breakHostLock(options: HostLockOwner) {
  const place = new HostPlace(options);
  const found = await place.look();
  if (!found) return undefined;
  if (await place.claim()) await place.free();
  return found;
}

const HIGHEST = `n=0
for g in "$d"/*; do
  g=\${g##*/}
  case $g in *[!0-9]*) ;; *) [ "$g" -le "$n" ] || n=$g ;; esac
done`;

/*
 * A file can be there and empty for a moment, while it is written: an output in which that makes a line less would be read as
 * that of a free lock.
 */
const OWNER = 'owner=$(head -n 1 "$d/$n/owner" 2>/dev/null)';

class HostPlace implements LockPlace {
  readonly #run: RunScript;
  readonly #lock: string;
  readonly #dir: string;
  readonly #holder: string;
  readonly #top: string;
  #seen = 0;
  #own = 0;
  #beat = 0;

  constructor({ run, lock, dir, holder }: HostLockOwner) {
    this.#run = run;
    this.#lock = lock;
    this.#top = `top=${quotePath(dir)}`;
    const plain = lock.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '');
    this.#dir = `${this.#top}\nd=$top/${plain || 'lock'}`;
    this.#holder = holder.replaceAll('\n', ' ');
  }

  async look(): Promise<FoundLock | undefined> {
    const { stdout } = await this.#run(`${this.#dir}
${HIGHEST}
echo "$n"
if [ "$n" = 0 ] || [ -e "$d/$n/free" ]; then exit 0; fi
${OWNER}
printf 'held\\n%s\\n%s\\n' "$owner" "$(cat "$d/$n/beat" 2>/dev/null)"`);
    const [generation = '0', held, owner = '', beat] = stdout.split('\n');
    this.#seen = Number(generation);
    return held === 'held' ? readOwner(owner, `${generation} ${beat}`) : undefined;
  }

  async claim(): Promise<boolean> {
    const next = this.#seen + 1;
    const owner = `${new Date().toISOString()} ${this.#holder}`;
    const { code, stderr } = await this.#run(`${this.#dir}
umask 022
for f in "$top" "$d"; do
  [ -d "$f" ] || mkdir -m 1777 "$f" 2>/dev/null || [ -d "$f" ] || mkdir -p "$f" || exit 2
done
mkdir "$d/${next}" 2>/dev/null || { [ -d "$d/${next}" ] && exit 1; mkdir "$d/${next}" || exit 2; }
printf '%s\\n' ${quoteWord(owner)} >"$d/${next}/owner" && echo 0 >"$d/${next}/beat" || exit 2
${HIGHEST}
# A look from long ago: what it saw as the highest was past, and swept away.
if [ "$n" -gt ${next} ]; then rm -rf "$d/${next}"; exit 1; fi
for g in "$d"/*; do
  case \${g##*/} in ${next}) ;; *) rm -rf "$g" 2>/dev/null ;; esac
done
exit 0`);
    if (code === 0) {
      this.#own = next;
      return true;
    }
    if (code === 1) return false;
    throw new ReeveError('lock-failed', `the lock ${this.#lock} cannot be taken: ${stderr.trim()}`, {
      hint: 'the variable `lock_dir` of that host names a folder that every operator may write to',
      exitCode: EXIT.refused,
    });
  }

  async renew(): Promise<string | undefined> {
    this.#beat++;
    const { stdout } = await this.#run(`${this.#dir}
${HIGHEST}
if [ "$n" = ${this.#own} ]; then
  echo ${this.#beat} >"$d/$n/beat"
  echo held
elif [ "$n" != 0 ] && [ ! -e "$d/$n/free" ]; then
  ${OWNER}
  printf 'taken\\n%s\\n' "$owner"
fi`);
    const [now, owner = ''] = stdout.split('\n');
    if (now === 'held') return undefined;
    return now === 'taken' ? readOwner(owner, '').holder : '';
  }

  async free(): Promise<boolean> {
    try {
      const { code } = await this.#run(`${this.#dir}\n[ ! -d "$d/${this.#own}" ] || : >"$d/${this.#own}/free"`);
      return code === 0;
    } catch {
      return false;
    }
  }
}

/** `2026-… run … of user@machine`; a holder that has not written its name yet has none. */
function readOwner(line: string, mark: string): FoundLock {
  const space = line.indexOf(' ');
  if (space < 0) return { holder: 'somebody', since: '', mark };
  return { holder: line.slice(space + 1), since: line.slice(0, space), mark };
}
