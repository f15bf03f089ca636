#!/bin/sh
# The lab's k3s @VERSION@: the parts of its command line that an upgrade touches. Which host it runs on it learns from
# LAB_ROOT, or from where it lies (ROOT/usr/local/bin/k3s).
version='@VERSION@'
commit='@COMMIT@'
called=${0##*/}
[ "$called" = k3s ] || set -- "$called" "$@"
command=${1:-help}
[ $# = 0 ] || shift
case $command in
  --version | -v | version)
    printf '%s\n' "k3s version $version ($commit)" 'go version go1.22.8'
    exit 0
    ;;
esac
if [ -z "${LAB_ROOT:-}" ]; then
  here=$(CDPATH='' cd -- "${0%/*}" && pwd)
  LAB_ROOT=${here%/usr/local/bin}
fi
. "$LAB_ROOT/lab/bin/shared"
: "${LAB_HOST:=$(hostname)}"
config="$LAB_ROOT/etc/rancher/k3s/config.yaml"
data="$LAB_ROOT/var/lib/rancher/k3s"

say() { # level text
  clock
  calendar "$now"
  printf 'time="%s" level=%s msg="%s"\n' "$year-$month-${day}T$hour:$minute:${second}Z" "$1" "$2" >&2
}

fatal() {
  say fatal "$1"
  exit 1
}

event() {
  line=$1 && shift
  for field; do line="$line	$field"; done
  printf '%s\n' "$line" >>"$LAB_ROOT/lab/events"
}

configured() { # key: sets value to a top-level value of config.yaml
  value=
  slurp "$config"
  case $text in *"$newline$1:"*) ;; *) return 0 ;; esac
  value=${text##*"$newline$1:"}
  value=${value%%"$newline"*}
  value=${value#"${value%%[! $tab]*}"}
  case $value in '"'*'"') value=${value#?} && value=${value%?} ;; esac
  case $value in "'"*"'") value=${value#?} && value=${value%?} ;; esac
}

running() { # is k3s' server unit active here?
  slurp "$LAB_ROOT/run/systemd/k3s.service/state"
  case $text in *"${newline}ActiveState=active$newline"*) ;; *) return 1 ;; esac
}

read_token() { # file
  token=
  [ ! -r "$1" ] || read -r token <"$1" || :
}

# Reads --flag VALUE and --flag=VALUE from this command's arguments into variables.
read_flags() {
  token=${K3S_TOKEN:-}
  token_file=${K3S_TOKEN_FILE:-}
  server_url=${K3S_URL:-}
  reset=
  restore=
  name=on-demand
  snapshots="$data/server/db/snapshots"
  retention=5
  rest=
  while [ $# -gt 0 ]; do
    flag=${1%%=*}
    case $1 in --*=*) value=${1#*=} ;; --* | -d) value=${2:-} ;; *) value= ;; esac
    taken=1
    case $flag in
      --token) token=$value && taken=2 ;;
      --token-file) token_file=$value && taken=2 ;;
      --server) server_url=$value && taken=2 ;;
      --data-dir | -d) data=$value && snapshots="$data/server/db/snapshots" && taken=2 ;;
      --name) name=$value && taken=2 ;;
      --dir | --etcd-snapshot-dir) snapshots=$value && taken=2 ;;
      --snapshot-retention | --etcd-snapshot-retention) retention=$value && taken=2 ;;
      --cluster-reset-restore-path) restore=$value && taken=2 ;;
      --cluster-reset) reset=yes ;;
      -*) ;;
      *) rest="$rest $1" ;;
    esac
    case $1 in --*=*) taken=1 ;; esac
    shift
    [ $taken = 1 ] || [ $# = 0 ] || shift
  done
}

check_token() { # role
  knob token ''
  wanted=$knob
  [ -n "$wanted" ] || return 0
  [ -n "$token_file" ] && [ -z "$token" ] && read_token "$token_file"
  [ -n "$token" ] || { configured token && token=$value; }
  [ "$1" = server ] && [ -z "$token" ] && [ -f "$data/server/token" ] && read_token "$data/server/token"
  [ "$token" = "$wanted" ] && return 0
  if [ "$1" = agent ] && [ -z "$token" ]; then fatal '--token is required'; fi
  if [ "$1" = agent ]; then
    fatal "failed to validate token: token CA hash does not match the Cluster CA certificate hash"
  fi
  # A server without a token of its own and without a cluster to join starts a new one.
  [ -z "$token" ] && [ ! -d "$data/server/db" ] && return 0
  fatal "starting kubernetes: preparing server: bootstrap data already found and encrypted with different token"
}

serve() { # server|agent
  [ "$1" = agent ] && [ -z "$server_url" ] && configured server && server_url=$value
  [ "$1" = agent ] && [ -z "$server_url" ] && fatal '--server is required'
  if [ "$1" = agent ]; then say info "Starting k3s agent $version ($commit)"; else say info "Starting k3s $version ($commit)"; fi
  knob k3s-start 0.2
  seconds=$knob
  check_token "$1"
  case $seconds in
    fail) fatal "failed to start networking: unable to initialize network policy controller: error getting node subnet" ;;
    forever)
      say info "Waiting for control-plane node to register apiserver addresses in etcd"
      exec sleep 2147483647
      ;;
  esac
  [ -d "$data/agent/containerd" ] || mkdir -p "$data/agent/containerd"
  if [ "$1" = server ] && [ ! -d "$data/server/db" ]; then
    mkdir -p "$data/server/db"
    echo lab >"$data/server/db/state.db"
  fi
  sleep "$seconds"
  say info "k3s is up and running"
  if [ -n "${NOTIFY_SOCKET:-}" ]; then echo ready >"$NOTIFY_SOCKET"; fi
  exec sleep 2147483647
}

number() { # vA.B.C+k3sN: sets number to one that sorts
  number=${1#v}
  case $number in *+k3s*) number=${number%%+k3s*}.${number#*+k3s} ;; esac
  blanks=$IFS
  IFS=.
  set -- $number
  IFS=$blanks
  number=0
  for part in "${1:-}" "${2:-}" "${3:-}"; do number=$((number * 1000 + 0${part%%[!0-9]*})); done
  part=${4:-}
  number=$((number * 100 + 0${part%%[!0-9]*}))
}

reset_cluster() {
  running && fatal 'Failed to start server: cluster-reset: k3s is still running'
  [ -d "$data/server/db/etcd" ] || fatal 'etcd: cluster-reset: managed etcd is not in use'
  if [ -n "$restore" ]; then
    [ -f "$restore" ] || fatal "etcd: snapshot path does not exist: $restore"
    made_by=
    while read -r line; do
      case $line in version=*) made_by=${line#version=} && break ;; esac
    done <"$restore"
    number "$version" && most=$number
    number "$made_by"
    [ "$number" -le "$most" ] || fatal "etcd: snapshot was made by a newer version: $made_by"
    mkdir -p "$data/server/db/etcd"
    cp "$restore" "$data/server/db/etcd/restored"
  fi
  event restore "$restore"
  say info 'Managed etcd cluster membership has been reset, restart without --cluster-reset flag now. Backup and delete ${datadir}/server/db on each peer etcd server and rejoin the nodes'
}

size_of() { # file: sets size
  size=$(($(wc -c <"$1")))
}

snapshot_save() {
  clock
  stamp=$now
  full="$name-$LAB_HOST-$stamp"
  [ -d "$snapshots" ] || mkdir -p "$snapshots"
  umask 077
  knob snapshot good
  case $knob in
    empty) : >"$snapshots/$full" ;;
    fail) fatal 'Error: see server log for details: failed to save etcd snapshot: rpc error: code = ResourceExhausted' ;;
    *)
      printf 'version=%s\nnode=%s\n' "$version" "$LAB_HOST" >"$snapshots/$full"
      dd if=/dev/zero bs=1024 count=16 2>/dev/null >>"$snapshots/$full"
      ;;
  esac
  size_of "$snapshots/$full"
  event snapshot save "$full" "file://$snapshots/$full" "$size" "$stamp"
  say info "Snapshot $full saved."
}

snapshot_list() {
  printf '%-40s %-60s %-10s %s\n' Name Location Size Created
  for file in "$snapshots"/*; do
    [ -f "$file" ] || continue
    when=${file##*-}
    case $when in '' | 0* | *[!0-9]*) when= ;; *) calendar "$when" && when="$year-$month-${day}T$hour:$minute:${second}Z" ;; esac
    size_of "$file"
    printf '%-40s %-60s %-10s %s\n' "${file##*/}" "file://$file" "$size" "$when"
  done
}

snapshot_delete() {
  for each; do
    if [ ! -f "$snapshots/$each" ]; then
      say warning "Snapshot $each not found."
      continue
    fi
    rm -f "$snapshots/$each"
    event snapshot delete "$each"
    say info "Snapshot $each deleted."
  done
}

snapshot_prune() {
  kept=0
  ls "$snapshots" 2>/dev/null | grep "^$name-$LAB_HOST-" | sort -t - -k 99 -r | sort -r | while read -r each; do
    kept=$((kept + 1))
    [ $kept -le "$retention" ] || snapshot_delete "$each"
  done
}

etcd_snapshot() {
  action=${1:-save}
  case $action in -*) action=save ;; *) [ $# = 0 ] || shift ;; esac
  read_flags "$@"
  running || fatal 'Error: Get "https://127.0.0.1:6443/db/snapshot": dial tcp 127.0.0.1:6443: connect: connection refused'
  [ -d "$data/server/db/etcd" ] || fatal 'Error: etcd datastore disabled'
  case $action in
    save) snapshot_save ;;
    ls | list | l) snapshot_list ;;
    delete) snapshot_delete $rest ;;
    prune) snapshot_prune ;;
    *) fatal "Error: unknown etcd-snapshot command $action" ;;
  esac
}

# The machine's own kubectl, never this script under its other name.
kubectl() {
  rest_of_path=$PATH:
  while [ -n "$rest_of_path" ]; do
    folder=${rest_of_path%%:*}
    rest_of_path=${rest_of_path#*:}
    case $folder in '' | "$LAB_ROOT"/*) continue ;; esac
    [ -x "$folder/kubectl" ] || continue
    : "${KUBECONFIG:=$LAB_ROOT/etc/rancher/k3s/k3s.yaml}"
    export KUBECONFIG
    exec "$folder/kubectl" "$@"
  done
  fatal 'the lab has no kubectl on this machine'
}

token_command() {
  case ${1:-} in
    create) clock && printf 'K10%s::%s.%s\n' "$now" abcdef 0123456789abcdef ;;
    list | ls) printf 'TOKEN     TTL         EXPIRES\n' ;;
    generate) printf 'abcdef.0123456789abcdef\n' ;;
    *) exit 0 ;;
  esac
}

case $command in
  server | agent)
    read_flags "$@"
    if [ -n "$reset" ]; then reset_cluster; else serve "$command"; fi
    ;;
  etcd-snapshot) etcd_snapshot "$@" ;;
  token) token_command "$@" ;;
  check-config) echo 'STATUS: pass' ;;
  kubectl) kubectl "$@" ;;
  crictl | ctr) event "$command" "$*" ;;
  secrets-encrypt | certificate | help) exit 0 ;;
  *)
    echo "No help topic for '$command'" >&2
    exit 3
    ;;
esac
