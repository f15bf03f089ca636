#!@SHELL@
# pct of a Proxmox node. Each file in lab/containers is a container, named by its id: its root, its state and its name.
LAB_ROOT='@ROOT@'
containers="$LAB_ROOT/lab/containers"

fail() { # code text
  echo "$2" >&2
  exit "$1"
}

pick() { # vmid: sets root, status and name
  [ -f "$containers/$1" ] || fail 2 "Configuration file 'nodes/@HOST@/lxc/$1.conf' does not exist"
  { read -r root && read -r status && read -r name; } <"$containers/$1"
}

must_run() { [ "$status" = running ] || fail 255 "Error: container '$1' not running!"; }

inside() { # path: as the container's files lie on this machine
  case $1 in
    "$root"/*) echo "$1" ;;
    *) echo "$root$1" ;;
  esac
}

list() {
  printf '%-10s %-10s %-12s %-20s\n' VMID Status Lock Name
  for file in "$containers"/*; do
    [ -f "$file" ] || continue
    pick "${file##*/}"
    printf '%-10s %-10s %-12s %-20s\n' "${file##*/}" "$status" '' "$name"
  done
}

# Runs argv, not a shell line. The answer is the command's exit code, 126 or 127 when it cannot run, 128 + n for signal n.
execute() { # vmid [--keep-env 0|1] [--] argv…
  vmid=$1
  shift
  keep=1
  while [ $# -gt 0 ]; do
    case $1 in
      --keep-env | -keep-env) keep=$2 && shift && option=yes ;;
      --keep-env=*) keep=${1#*=} && option=yes ;;
      --)
        shift
        break
        ;;
      *) break ;;
    esac
    shift
  done
  [ -z "${option:-}" ] || [ ! -f "$LAB_ROOT/lab/knobs/pct-old" ] || fail 255 'Unknown option: keep-env'
  pick "$vmid"
  must_run "$vmid"
  [ $# -gt 0 ] || fail 255 'missing command'
  start='. "$0" && cd "$LAB_ROOT" && exec "$@"'
  clear=
  [ "$keep" = 1 ] || clear=-i
  # The shell's own remark on a killed child is not the container's output.
  exec 3>&2 2>/dev/null
  (
    exec 2>&3 3>&-
    exec env $clear @SHELL@ -c "$start" "$root/lab/environment" "$@"
  )
  exit $?
}

transfer() { # push|pull vmid source destination [--perms MODE …]
  direction=$1
  pick "$2"
  must_run "$2"
  from=$3
  to=$4
  shift 4
  perms=
  while [ $# -gt 0 ]; do
    case $1 in --perms | -perms) perms=$2 && shift ;; --user | --group | -user | -group) shift ;; esac
    shift
  done
  if [ "$direction" = push ]; then to=$(inside "$to"); else from=$(inside "$from"); fi
  cp "$from" "$to" || exit 1
  chmod "${perms:-644}" "$to"
}

# The lab ends or starts the container's processes, which changes its state here; this waits for that.
switch() { # start|stop|reboot vmid
  pick "$2"
  case $1/$status in
    start/running) fail 255 "CT $2 already running" ;;
    stop/stopped) exit 0 ;;
    reboot/stopped) fail 255 "CT $2 not running" ;;
  esac
  rm -f "$containers/.done-$2"
  printf 'pct\t%s\t%s\n' "$1" "$2" >>"$LAB_ROOT/lab/events"
  until [ -f "$containers/.done-$2" ]; do sleep 0.02; done
}

verb=${1:-help}
[ $# = 0 ] || shift
case $verb in
  list) list ;;
  status)
    pick "$1"
    echo "status: $status"
    ;;
  config)
    pick "$1"
    printf 'arch: amd64\nfeatures: nesting=1\nhostname: %s\nostype: debian\n' "$name"
    ;;
  exec) execute "$@" ;;
  push | pull) transfer "$verb" "$@" ;;
  start | stop | reboot) switch "$verb" "$1" ;;
  shutdown) switch stop "$1" ;;
  *) fail 255 "ERROR: unknown command 'pct $verb'" ;;
esac
