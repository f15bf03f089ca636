/** Ends a process group. The pid itself is named too, for the moment before setsid has made the group. */
export function killGroupScript(pid: number, signal: 'TERM' | 'KILL'): string {
  const single = signal === 'TERM' ? `kill -TERM ${pid} 2>/dev/null` : ':';
  return `kill -${signal} -${pid} 2>/dev/null || ${single} || :`;
}

/**
 * Ends a persistent shell with all it runs: its descendants, and its process group when that is not ours (sshd and the
 * local transport give each shell one of its own). The shell itself gets TERM, so that it removes its folder: before its
 * children end, so that it begins nothing after them. It is not stopped as they are: sudo stops itself with its child, and
 * would stay so for good. What was found stays known: once the shell has ended, nothing else leads from it to a child in a
 * session of its own. /proc is read by the shell without a fork; ps stands in where there is none. Three passes, for what is
 * forked meanwhile.
 */
export function killShellScript(pid: number): string {
  return `
p=${pid}
list() {
  all=
  if [ -r /proc/$$/stat ]; then
    for f in /proc/[0-9]*/stat; do
      if read -r line <"$f"; then
        set -- \${line##*) }
        all="$all \${line%% *}:$2:$3"
      fi
    done 2>/dev/null
  else
    all=$(ps -A -o pid= -o ppid= -o pgid= | while read -r a b c; do printf ' %s:%s:%s' "$a" "$b" "$c"; done)
  fi
}
pick() {
  grew=1
  for one in $all; do
    case $one in $p:*) group=\${one##*:};; $$:*) mine=\${one##*:};; esac
  done
  case $group in 0 | 1 | "$mine") group=none;; esac
  while [ $grew = 1 ]; do
    grew=0
    for one in $all; do
      id=\${one%%:*} rest=\${one#*:}
      case $tree in *" $id "*) continue;; esac
      if [ "\${rest#*:}" = "$group" ]; then tree="$tree$id "; grew=1; continue; fi
      case $tree in *" \${rest%%:*} "*) tree="$tree$id "; grew=1;; esac
    done
  done
}
group=none mine= tree=" $p "
for what in STOP KILL KILL; do
  list; pick
  set -- \${tree#" $p "}
  if [ $# -gt 0 ]; then kill -$what "$@" 2>/dev/null; fi
  if [ $what = STOP ]; then kill -TERM $p 2>/dev/null; fi
done
:`;
}
