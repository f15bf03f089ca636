import type { RunResult } from '../module.ts';
import { exports, quotePath, quoteWord, safePath } from './quote.ts';

/*
 * The scripts around a detached job. Its folder (0700) holds: id, script, env, stdin, boot, pid, out, err, and, once it has
 * ended, code. A job whose boot id is not the host's any more, and that left no code, was killed by a restart.
 */

/** `starting`: no pid yet. `running`: at work. `vanished`: its process is gone, without an exit code. `absent`: no such job. */
export type JobState = 'starting' | 'running' | 'ended' | 'rebooted' | 'vanished' | 'absent';

/** Blocks of 64 KiB of each stream that one look at a running job takes at most. */
const LOOK_BLOCKS = 16;

export function jobFolder(dir: string, name: string): string {
  return `${safePath(dir)}/job-${name.replaceAll(/[^\w.-]/g, '_')}`;
}

export interface JobStart {
  folder: string;
  /** New for each attempt to run the job; a repeated start with the same id does nothing. */
  id: string;
  script: string;
  env: Record<string, string>;
  stdinSize: number;
  attach: boolean;
}

/** The boot id, read without a fork; systems without it have none, and a restart shows as a vanished process. */
const BOOT = `boot=
if [ -r /proc/sys/kernel/random/boot_id ]; then read -r boot </proc/sys/kernel/random/boot_id; fi`;

/**
 * `state`: what has become of the job in $d. The pid file holds, beside the pid, when the process began (field 22 of
 * /proc/PID/stat), so that another process which got the same number is not taken for it.
 */
const STATE = `${BOOT}
begun() {
  since=
  if read -r line <"/proc/$1/stat"; then
    set -- \${line##*) }
    shift 19
    since=$1
  fi 2>/dev/null
}
state() {
  if [ ! -d "$d" ]; then s=absent; return; fi
  if [ -f "$d/code" ]; then s=ended; return; fi
  was=
  if [ -f "$d/boot" ]; then read -r was <"$d/boot"; fi
  if [ "$was" != "$boot" ]; then s=rebooted; return; fi
  s=starting
  if [ ! -f "$d/pid" ]; then return; fi
  s=vanished
  if read -r pid then_ <"$d/pid" && kill -0 "$pid" 2>/dev/null; then
    begun "$pid"
    if [ "$since" = "$then_" ]; then s=running; fi
  fi
  # It may have ended between the two looks.
  if [ $s = vanished ] && [ -f "$d/code" ]; then s=ended; fi
}`;

/**
 * What runs detached. The exit code is written beside and renamed, so that it is there whole or not at all; the job itself
 * is a child, so that no exec or exit of it can prevent that.
 */
const RUNNER = `d=$1
since=
if read -r line </proc/$$/stat; then
  set -- \${line##*) }
  shift 19
  since=$1
fi 2>/dev/null
printf '%s %s\\n' $$ "$since" >"$d/pid.new"
mv "$d/pid.new" "$d/pid"
( . "$d/env"; exec sh "$d/script" ) <"$d/stdin" >"$d/out" 2>"$d/err"
printf '%s\\n' $? >"$d/code.new"
mv "$d/code.new" "$d/code"`;

/** Starts a job, or finds it started. Exit code 91: another job is running there. */
export function startScript(start: JobStart): string {
  const { folder, id, script, env, stdinSize, attach } = start;
  const parent = folder.slice(0, folder.lastIndexOf('/'));
  return `umask 077
d=${quotePath(folder)}
${STATE}
fail() { printf '%s\\n' "$1" >&2; exit 1; }
mkdir -p ${quotePath(parent)} || fail 'its folder cannot be made'
if [ -d "$d" ]; then
  was=
  if [ -f "$d/id" ]; then read -r was <"$d/id"; fi
  if [ -f "$d/launched" ] && { [ "$was" = ${id} ] || ${attach ? 'true' : 'false'}; }; then exit 0; fi
  # Without the mark the folder is what a start that was cut off has left.
  if [ -f "$d/launched" ]; then
    state
    case $s in running|starting) exit 91;; esac
  fi
  rm -rf "$d"
fi
mkdir "$d" || fail 'its folder cannot be made'
printf '%s\\n' ${id} >"$d/id"
printf '%s\\n' "$boot" >"$d/boot"
printf '%s\\n' ${quoteWord(script)} >"$d/script"
printf '%s\\n' ${quoteWord(exports(env) || ':')} >"$d/env"
printf '%s\\n' ${quoteWord(RUNNER)} >"$d/runner" || fail 'its files cannot be written'
cat >"$d/stdin" || fail 'its input cannot be written'
if [ "$(wc -c <"$d/stdin")" -ne ${stdinSize} ]; then fail 'its input is incomplete'; fi
true >"$d/launched" || fail 'its files cannot be written'
g=
if command -v setsid >/dev/null 2>&1; then g=setsid; fi
n=
if command -v nohup >/dev/null 2>&1; then n=nohup; fi
$g $n sh "$d/runner" "$d" </dev/null >/dev/null 2>&1 &
:`;
}

/** What a look found. */
export interface Look {
  state: JobState;
  code?: number;
  stdout: Buffer;
  stderr: Buffer;
}

/**
 * Prints one line with the state, then the output from the given offsets on: all of it when the job has ended, a part while
 * it runs, so that a flood does not hold up the shell.
 */
export function lookScript(folder: string, stdout: number, stderr: number): string {
  return `d=${quotePath(folder)}
${STATE}
state
c=
if [ $s = ended ]; then read -r c <"$d/code"; fi
printf '%s %s\\n' $s "$c"
show() {
  if [ ! -s "$d/$1" ]; then return; fi
  if [ $s = running ]; then tail -c "+$2" "$d/$1" | dd bs=65536 count=${LOOK_BLOCKS} 2>/dev/null; else tail -c "+$2" "$d/$1"; fi
}
show out ${stdout + 1}
show err ${stderr + 1} >&2
:`;
}

export function readLook(result: RunResult): Look {
  const { stdout, stderr } = result.raw;
  const end = stdout.indexOf(10);
  const [state = 'absent', code = ''] = stdout.subarray(0, end).toString().split(' ');
  return {
    state: state as JobState,
    ...(code ? { code: Number(code) } : {}),
    stdout: stdout.subarray(end + 1),
    stderr,
  };
}

/** Ends the job's process group. */
export function stopScript(folder: string, signal: 'TERM' | 'KILL'): string {
  return `d=${quotePath(folder)}
${STATE}
if [ -f "$d/pid" ] && read -r pid then_ <"$d/pid" && [ -f "$d/boot" ] && read -r was <"$d/boot" && [ "$was" = "$boot" ]; then
  kill -${signal} -"$pid" 2>/dev/null || kill -${signal} "$pid" 2>/dev/null
fi
:`;
}

/** Takes every folder away whose path begins so, unless its job is at work. */
export function removeScript(beginning: string): string {
  return `${STATE}
for d in ${quotePath(beginning)}*; do
  state
  case $s in running|starting|absent) ;; *) rm -rf "$d";; esac
done`;
}
