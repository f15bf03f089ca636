#!@SHELL@
# One unit's life, the part of systemd's process 1 that the lab's hosts need. `lab-unit job VERB UNIT RESULT` does one
# start, stop or restart; `lab-unit supervise UNIT RESULT` runs the unit's process and is the only writer of its state.
LAB_ROOT='@ROOT@'
LAB_HOST='@HOST@'
units="$LAB_ROOT/etc/systemd/system"
verb=$1
shift

knob() { # name default: one word that a test set in lab/knobs
  if [ -f "$LAB_ROOT/lab/knobs/$1" ]; then cat "$LAB_ROOT/lab/knobs/$1"; else echo "$2"; fi
}

log_line() { # identifier pid text
  printf '%s\t%s\t%s\t%s\n' "$(date +%s)" "$1" "$2" "$3" >>"$LAB_ROOT/var/log/journal/$unit"
}

write_state() { # ActiveState SubState
  active=$1
  cat >"$dir/state.new" <<STATE
ActiveState=$1
SubState=$2
MainPID=$main
ExecMainPID=$main
NRestarts=$restarts
Result=$result
ExecMainStatus=$status
ExecMainStartTimestamp=$started
ExecMainStartTimestampMonotonic=$monotonic
ActiveEnterTimestamp=$entered
InvocationID=$invocation
STATE
  mv -f "$dir/state.new" "$dir/state"
}

event() { # state, told to the lab only when it is news
  [ "$told" = "$1" ] && return
  told=$1
  printf 'unit\t%s\t%s\t%s\t%s\n' "$unit" "$1" "$version" "$role" >>"$LAB_ROOT/lab/events"
}

finish() { # outcome of the job that somebody waits for: done or failed
  [ -n "$answer" ] || return 0
  echo "$1" >"$answer.new"
  mv -f "$answer.new" "$answer"
  answer=
}

# The unit as systemd sees it: continuation lines joined, comments gone.
definition() {
  sed -e ':join' -e '/\\$/{' -e 'N' -e 's/\\\n[[:space:]]*/ /' -e 'b join' -e '}' "$dir/loaded" | grep -v '^[#;]'
}

setting() { # KEY: its last value
  definition | sed -n "s/^$1=//p" | tail -n 1
}

below_root() { # an absolute path of the unit, on this host
  case $1 in
    "$LAB_ROOT"/*) echo "$1" ;;
    *) echo "$LAB_ROOT$1" ;;
  esac
}

# Reads KEY=value lines into this shell and exports them. Values that are quoted for sh are unquoted, others are literal.
environment_file() {
  [ -f "$1" ] || return 0
  while IFS= read -r entry || [ -n "$entry" ]; do
    case $entry in
      '#'* | ';'* | '') continue ;;
      *=*) ;;
      *) continue ;;
    esac
    key=${entry%%=*}
    value=${entry#*=}
    case $value in
      \'*) eval "export $key=$value" ;;
      \"*\") value=${value#\"} && export "$key=${value%\"}" ;;
      *) export "$key=$value" ;;
    esac
  done <"$1"
}

load_environment() {
  short=${unit%.service}
  while IFS= read -r entry; do
    case $entry in
      EnvironmentFile=*)
        file=${entry#*=}
        file=${file#-}
        case $file in *%N*) file="${file%%\%N*}$short${file#*%N}" ;; esac
        environment_file "$(below_root "$file")"
        ;;
      Environment=*)
        eval "export ${entry#*=}"
        ;;
    esac
  done <<DEFINITION
$(definition)
DEFINITION
}

# The unit's process in a clean environment: units do not see what the person who started them had exported.
run_main() {
  unset OLDPWD
  load_environment
  eval "set -- $command"
  cd "$LAB_ROOT" || exit 1
  NOTIFY_SOCKET="$dir/control"
  export NOTIFY_SOCKET
  exec 3>&- 4>&-
  exec "$@"
}

start_main() {
  version=
  role=
  eval "set -- $command"
  case $1 in
    */k3s | k3s)
      version=$("$1" --version 2>/dev/null | sed -n '1s/^k3s version \([^ ]*\).*/\1/p')
      role=$2
      ;;
  esac
  identifier=${1##*/}
  main=0
  starting=yes
  early=
  result=success
  status=0
  started=$(LC_ALL=C date '+%a %Y-%m-%d %H:%M:%S %Z')
  read -r monotonic _ </proc/uptime || monotonic=0.00
  monotonic="${monotonic%.*}${monotonic#*.}0000"
  read -r invocation </proc/sys/kernel/random/uuid || invocation=$(date +%s)-$$
  invocation=$(echo "$invocation" | tr -d -)
  write_state activating start
  event activating
  log_line systemd 1 "Starting $unit - $(setting Description)..."
  rm -f "$dir/output"
  mkfifo "$dir/output"
  accompany &
}

# Runs the unit's process, writes down what it prints, and tells the supervisor of its end once all that is in the journal.
accompany() {
  last="end of $invocation"
  # For both directions, since opening it for one would wait for the other.
  exec 4<>"$dir/output"
  run_main </dev/null >&4 2>&1 &
  process=$!
  echo "pid $process" >&3
  keep_journal "$process" &
  journal=$!
  wait "$process"
  code=$?
  echo "$last" >&4
  wait "$journal"
  echo "exited $code" >&3
}

keep_journal() { # pid
  while IFS= read -r text; do
    [ "$text" != "$last" ] || return 0
    log_line "$identifier" "$1" "$text"
  done <"$dir/output"
}

started_main() { # pid
  main=$1
  starting=
  if [ "$wanted" = stopped ]; then
    stop_main
    return
  fi
  write_state activating start
  case $type in
    oneshot) ;;
    notify) [ -z "$early" ] || became_active ;;
    *) became_active ;;
  esac
}

# Ends the process, once there is one. Returns 1 when there is none and none to come: the unit is over.
stop_main() {
  wanted=stopped
  finish failed
  if [ "$main" = 0 ] && [ -z "$starting" ]; then
    write_state inactive dead
    event inactive
    return 1
  fi
  write_state deactivating stop-sigterm
  [ "$main" != 0 ] || return 0
  kill -TERM "$main"
  remind "$(knob stop-sec 2)" kill
}

# Sends this supervisor a word after so many seconds, unless it has ended or another reminder came since.
remind() {
  [ -z "$reminder" ] || kill "$reminder" 2>/dev/null
  (
    trap 'kill $!' TERM
    sleep "$1" &
    wait $! && echo "$2" >&3
  ) &
  reminder=$!
}

became_active() {
  entered=$(LC_ALL=C date '+%a %Y-%m-%d %H:%M:%S %Z')
  write_state active running
  event active
  log_line systemd 1 "Started $unit - $(setting Description)."
  finish done
}

# Decides what an ended process means. Returns 1 when the unit is over.
ended() {
  status=$1
  main=0
  case $1 in
    0 | 129 | 130 | 141 | 143) result=success ;;
    *) if [ "$1" -gt 128 ]; then result=signal; else result=exit-code; fi ;;
  esac
  if [ "$wanted" = stopped ]; then
    write_state inactive dead
    event inactive
    log_line systemd 1 "Stopped $unit - $(setting Description)."
    return 1
  fi
  if [ "$type" = oneshot ] && [ "$result" = success ]; then
    finish done
    if [ "$(setting RemainAfterExit)" = yes ]; then write_state active exited && event active && return 0; fi
    write_state inactive dead
    event inactive
    return 1
  fi
  [ "$result" = success ] || log_line systemd 1 "$unit: Main process exited, code=exited, status=$1/FAILURE"
  [ "$result" = success ] || log_line systemd 1 "$unit: Failed with result '$result'."
  case $(setting Restart) in
    always) again=yes ;;
    on-failure) if [ "$result" = success ]; then again=no; else again=yes; fi ;;
    *) again=no ;;
  esac
  [ "$active" = activating ] && finish failed
  if [ "$again" = yes ]; then
    restarts=$((restarts + 1))
    write_state activating auto-restart
    event failed
    remind "$(knob restart-sec 0.2)" again
    return 0
  fi
  if [ "$result" = success ]; then write_state inactive dead && event inactive; else write_state failed failed && event failed; fi
  return 1
}

supervise() {
  type=$(setting Type)
  command=$(definition | sed -n 's/^ExecStart=[-@:+!]*//p' | sed '/^$/d' | tail -n 1)
  restarts=0
  entered=
  reminder=
  told=
  wanted=started
  # Open for both directions, so that the reader never sees an end while writers come and go.
  exec 3<>"$dir/control"
  start_main
  while read -r word number <&3; do
    case $word in
      pid) started_main "$number" ;;
      ready) if [ -n "$starting" ]; then early=yes; elif [ "$wanted" = started ]; then became_active; fi ;;
      exited) ended "$number" || break ;;
      again) [ "$wanted" = started ] && start_main ;;
      kill) [ "$main" = 0 ] || kill -9 "$main" ;;
      stop) stop_main || break ;;
    esac
  done
  [ -z "$reminder" ] || kill "$reminder" 2>/dev/null
  rm -f "$dir/control" "$dir/supervisor"
  finish failed
}

alive() { [ -f "$dir/supervisor" ] && kill -0 "$(cat "$dir/supervisor" 2>/dev/null)" 2>/dev/null; }

stop_unit() {
  alive || return 0
  # In the background: were the supervisor to end at this moment, nobody would read it.
  [ -p "$dir/control" ] && echo stop >"$dir/control" &
  while alive; do sleep 0.02; done
}

start_unit() {
  if alive; then
    follow=yes
    return
  fi
  [ -f "$dir/loaded" ] || load
  rm -f "$dir/control"
  mkfifo "$dir/control"
  spawn supervise "$unit" "$answer"
  # Written here and not by the supervisor, or the next job could miss one that is just being born.
  echo "$spawned" >"$dir/supervisor"
}

# Waits for a start that another job began.
follow_start() {
  until grep -q '^ActiveState=active' "$dir/state"; do
    alive || break
    sleep 0.02
  done
  if alive; then finish done; else finish failed; fi
}

load() {
  mkdir -p "$dir"
  cat "$units/$unit" "$units/$unit.d"/*.conf >"$dir/loaded.new" 2>/dev/null
  mv -f "$dir/loaded.new" "$dir/loaded"
}

# A process of the machine, not of whoever asked: own session, no inherited streams, a clean environment.
spawn() {
  for launcher in setsid ''; do
    [ -z "$launcher" ] || command -v $launcher >/dev/null 2>&1 || continue
    env -i PATH="$LAB_ROOT/usr/local/bin:$LAB_ROOT/usr/bin:@PATH@" LAB_ROOT="$LAB_ROOT" LAB_HOST="$LAB_HOST" \
      $launcher "$LAB_ROOT/lab/bin/lab-unit" "$@" </dev/null >/dev/null 2>>"$LAB_ROOT/lab/lab-unit.err" &
    spawned=$!
    return
  done
}

# Jobs on one unit run in the order they were asked for. A ticket holds the id of its job once that runs.
queue() {
  read -r now _ </proc/uptime || now=$(date +%s).00
  ticket=$(printf '%012d-%07d' "${now%.*}${now#*.}" $$)
  mkdir -p "$dir/queue"
  : >"$dir/queue/$ticket"
}

await_turn() {
  echo $$ >"$dir/queue/$ticket"
  while :; do
    first=$(ls "$dir/queue" | head -n 1)
    [ "$first" != "$ticket" ] || return 0
    holder=$(cat "$dir/queue/$first" 2>/dev/null)
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then rm -f "$dir/queue/$first"; fi
    sleep 0.02
  done
}

job() { # start|stop|restart
  follow=
  await_turn
  case $1 in
    stop) stop_unit && finish done ;;
    restart) stop_unit && start_unit ;;
    start) start_unit ;;
  esac
  rm -f "$dir/queue/$ticket"
  [ -z "$follow" ] || follow_start
}

case $verb in
  job)
    action=$1
    unit=$2
    ticket=$3
    answer=$4
    dir="$LAB_ROOT/run/systemd/$unit"
    job "$action"
    ;;
  spawn-job)
    dir="$LAB_ROOT/run/systemd/$2"
    queue
    spawn job "$1" "$2" "$ticket" "$3"
    ;;
  load)
    unit=$1
    dir="$LAB_ROOT/run/systemd/$unit"
    load
    ;;
  supervise)
    unit=$1
    answer=${2:-}
    dir="$LAB_ROOT/run/systemd/$unit"
    supervise
    ;;
esac
