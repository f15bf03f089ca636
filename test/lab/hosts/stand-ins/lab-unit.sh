#!@SHELL@
# One unit's life, the part of systemd's process 1 that the lab's hosts need. `lab-unit VERB UNIT TICKET ANSWER` does one
# start, stop or restart. It leaves a supervisor behind, which runs the unit's process and is the only writer of its state.
# Who waits for the outcome reads it from file descriptor 9, up to its end: no other process may keep that open.
LAB_ROOT='@ROOT@'
. "$LAB_ROOT/lab/bin/shared"
units="$LAB_ROOT/etc/systemd/system"
verb=$1
unit=$2
ticket=$3
answer=$4
dir="$LAB_ROOT/run/systemd/$unit"

log_line() { # identifier pid text
  clock
  printf '%s\t%s\t%s\t%s\n' "$now" "$1" "$2" "$3" >>"$LAB_ROOT/var/log/journal/$unit"
}

date_now() { # sets date to what systemd would print
  clock
  calendar "$now"
  date="$weekday $year-$month-$day $hour:$minute:$second UTC"
}

write_state() { # ActiveState SubState
  active=$1
  printf '%s\n' "ActiveState=$1" "SubState=$2" "MainPID=$main" "ExecMainPID=$main" "NRestarts=$restarts" "Result=$result" \
    "ExecMainStatus=$status" "ExecMainStartTimestamp=$started" "ExecMainStartTimestampMonotonic=$monotonic" \
    "ActiveEnterTimestamp=$entered" "InvocationID=$invocation" >"$dir/state.new"
  mv -f "$dir/state.new" "$dir/state"
}

event() { # state, told to the lab only when it is news
  [ "$told" = "$1" ] && return
  told=$1
  printf 'unit\t%s\t%s\t%s\t%s\n' "$unit" "$1" "$version" "$role" >>"$LAB_ROOT/lab/events"
}

# Told last: who hears of it may look at the state, and the lab at the events, at once.
finish() { # outcome of the job that somebody waits for: done or failed
  [ -n "$answer" ] || return 0
  answer=
  # Who asked may be gone.
  trap '' PIPE
  { echo "$1" >&9; } 2>/dev/null
  trap - PIPE
  exec 9>&-
}

# Calls a function with every line of the unit as systemd sees it: continuation lines joined, comments gone.
each_line() { # function
  whole=
  while IFS= read -r line || [ -n "$line" ]; do
    [ -z "$whole" ] || line="${whole%?} ${line#"${line%%[! $tab]*}"}"
    whole=
    case $line in
      *\\) whole=$line ;;
      '#'* | ';'*) ;;
      *) "$1" "$line" ;;
    esac
  done <"$dir/loaded"
  case $whole in '' | '#'* | ';'*) ;; *) "$1" "$whole" ;; esac
}

read_settings() { # the last value of each
  restart=
  description=
  remain=
  each_line setting
}

setting() { # line
  case $1 in
    Restart=*) restart=${1#*=} ;;
    Description=*) description=${1#*=} ;;
    RemainAfterExit=*) remain=${1#*=} ;;
  esac
}

what_to_run() { # line
  case $1 in
    Type=*) type=${1#*=} ;;
    ExecStart=*)
      line=${1#*=}
      line=${line#"${line%%[!-@:+!]*}"}
      command=${line:-$command}
      ;;
  esac
}

below_root() { # an absolute path of the unit: sets path to where it is on this host
  case $1 in
    "$LAB_ROOT"/*) path=$1 ;;
    *) path=$LAB_ROOT$1 ;;
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

environment_setting() { # line
  case $1 in
    EnvironmentFile=*)
      path=${1#*=}
      path=${path#-}
      case $path in *%N*) path="${path%%\%N*}${unit%.service}${path#*%N}" ;; esac
      below_root "$path"
      environment_file "$path"
      ;;
    Environment=*)
      eval "export ${1#*=}"
      ;;
  esac
}

# The unit's process in a clean environment: units do not see what the person who started them had exported.
run_main() {
  unset OLDPWD
  each_line environment_setting
  eval "set -- $command"
  cd "$LAB_ROOT" || exit 1
  NOTIFY_SOCKET="$dir/control"
  export NOTIFY_SOCKET
  exec 3>&-
  exec "$@"
}

start_main() {
  version=
  role=
  eval "set -- $command"
  case $1 in
    */k3s | k3s)
      version=$("$1" --version 2>/dev/null)
      case $version in 'k3s version '*) version=${version#k3s version } && version=${version%%[ $newline]*} ;; *) version= ;; esac
      role=$2
      ;;
  esac
  identifier=${1##*/}
  main=0
  starting=yes
  result=success
  status=0
  date_now
  started=$date
  read -r monotonic _ </proc/uptime
  monotonic="${monotonic%.*}${monotonic#*.}0000"
  IFS=- read -r a b c d e </proc/sys/kernel/random/uuid
  invocation=$a$b$c$d$e
  read_settings
  log_line systemd 1 "Starting $unit - $description..."
  last="end of $invocation "
  accompany | keep_journal &
}

# Runs the unit's process and says how it ended, behind all that it printed.
accompany() {
  exec 9>&-
  announce </dev/null 2>&1 &
  wait $!
  echo "$last$?"
}

# Tells the journal and the supervisor which process it is, and becomes it.
announce() {
  read -r process _ </proc/self/stat
  echo "$process"
  echo "pid $process" >&3
  run_main
}

# Writes down what the process prints, and tells the supervisor of its end once all that is in the journal.
keep_journal() {
  exec 9>&-
  read -r process
  code=137
  while IFS= read -r text; do
    case $text in
      *"$last"*)
        [ -z "${text%%"$last"*}" ] || log_line "$identifier" "$process" "${text%%"$last"*}"
        code=${text##*"$last"}
        break
        ;;
    esac
    log_line "$identifier" "$process" "$text"
  done
  echo "exited $code" >&3
}

started_main() { # pid
  main=$1
  starting=
  if [ "$wanted" = stopped ]; then
    stop_main
    return
  fi
  write_state activating start
  event activating
  case $type in oneshot | notify) ;; *) became_active ;; esac
}

# Ends the process, once there is one. Returns 1 when there is none and none to come: the unit is over.
stop_main() {
  wanted=stopped
  if [ "$main" = 0 ] && [ -z "$starting" ]; then
    write_state inactive dead
    event inactive
    return 1
  fi
  write_state deactivating stop-sigterm
  finish failed
  [ "$main" != 0 ] || return 0
  kill -TERM "$main"
  knob stop-sec 2
  remind "$knob" kill
}

# Sends this supervisor a word after so many seconds, unless it has ended or another reminder came since.
remind() {
  [ -z "$reminder" ] || kill "$reminder" 2>/dev/null
  (
    exec 9>&-
    trap 'kill $!' TERM
    sleep "$1" &
    wait $! && echo "$2" >&3
  ) &
  reminder=$!
}

became_active() {
  date_now
  entered=$date
  write_state active running
  event active
  log_line systemd 1 "Started $unit - $description."
  finish done
}

# Decides what an ended process means. Returns 1 when the unit is over.
ended() {
  status=$1
  main=0
  read_settings
  case $1 in
    0 | 129 | 130 | 141 | 143) result=success ;;
    *) if [ "$1" -gt 128 ]; then result=signal; else result=exit-code; fi ;;
  esac
  if [ "$wanted" = stopped ]; then
    write_state inactive dead
    event inactive
    log_line systemd 1 "Stopped $unit - $description."
    return 1
  fi
  if [ "$type" = oneshot ] && [ "$result" = success ]; then
    if [ "$remain" = yes ]; then write_state active exited && event active && finish done && return 0; fi
    write_state inactive dead
    event inactive
    finish done
    return 1
  fi
  [ "$result" = success ] || log_line systemd 1 "$unit: Main process exited, code=exited, status=$1/FAILURE"
  [ "$result" = success ] || log_line systemd 1 "$unit: Failed with result '$result'."
  case $restart in
    always) again=yes ;;
    on-failure) if [ "$result" = success ]; then again=no; else again=yes; fi ;;
    *) again=no ;;
  esac
  before=$active
  if [ "$again" = yes ]; then
    restarts=$((restarts + 1))
    write_state activating auto-restart
    event failed
    [ "$before" != activating ] || finish failed
    knob restart-sec 0.2
    remind "$knob" again
    return 0
  fi
  if [ "$result" = success ]; then write_state inactive dead && event inactive; else write_state failed failed && event failed; fi
  return 1
}

supervise() {
  type=
  command=
  each_line what_to_run
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
      ready) [ "$wanted" != started ] || became_active ;;
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

alive() { { read -r supervisor <"$dir/supervisor"; } 2>/dev/null && kill -0 "$supervisor" 2>/dev/null; }

stop_unit() {
  alive || return 0
  # Open for both directions: were the supervisor to end at this moment, nobody would read it.
  [ ! -p "$dir/control" ] || { echo stop >&8; } 8<>"$dir/control"
  while alive; do sleep 0.02; done
}

start_unit() {
  if alive; then
    follow=yes
    return
  fi
  [ -f "$dir/loaded" ] || load "$unit"
  [ ! -e "$dir/control" ] || rm -f "$dir/control"
  mkfifo "$dir/control"
  supervise &
  # Written here and not by the supervisor, or the next job could miss one that is just being born.
  echo $! >"$dir/supervisor"
}

# Waits for a start that another job began.
follow_start() {
  until is_active; do
    alive || break
    sleep 0.02
  done
  if alive; then finish done; else finish failed; fi
}

is_active() {
  slurp "$dir/state"
  case $text in *"${newline}ActiveState=active$newline"*) ;; *) return 1 ;; esac
}

await_turn() {
  echo $$ >"$dir/queue/$ticket"
  while :; do
    for first in "$dir/queue"/*; do break; done
    [ "$first" != "$dir/queue/$ticket" ] || return 0
    holder=
    { read -r holder <"$first"; } 2>/dev/null
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then rm -f "$first"; fi
    sleep 0.02
  done
}

follow=
await_turn
case $verb in
  stop) stop_unit && finish done ;;
  restart) stop_unit && start_unit ;;
  start) start_unit ;;
esac
rm -f "$dir/queue/$ticket"
[ -z "$follow" ] || follow_start
