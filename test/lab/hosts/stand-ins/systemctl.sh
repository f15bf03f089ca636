#!@SHELL@
# systemctl of a lab host. State is below run/systemd/UNIT/; lab-unit does the work of process 1.
LAB_ROOT='@ROOT@'
. "$LAB_ROOT/lab/bin/shared"
units="$LAB_ROOT/etc/systemd/system"
properties=
values_only=
block=yes
now=
quiet=
verb=
names=
state_unit=
file_unit=

while [ $# -gt 0 ]; do
  case $1 in
    -p | --property) properties="$properties $2" && shift ;;
    -p*) properties="$properties ${1#-p}" ;;
    --property=*) properties="$properties ${1#*=}" ;;
    --value) values_only=yes ;;
    --no-block) block= ;;
    --now) now=yes ;;
    -q | --quiet) quiet=yes ;;
    -*) ;;
    *)
      if [ -z "$verb" ]; then
        verb=$1
      else
        name=${1##*/}
        case $name in *.service | *.timer | *.target | *.socket | *.mount | *.path | *.slice) ;; *) name=$name.service ;; esac
        names="$names $name"
      fi
      ;;
  esac
  shift
done

exists() { [ -f "$units/$1" ]; }
masked() { [ -L "$units/$1" ] && [ "$(readlink "$units/$1")" = /dev/null ]; }
enabled() { [ -e "$units/multi-user.target.wants/$1" ] || [ -L "$units/multi-user.target.wants/$1" ]; }

# Each of these sets value. What lab-unit keeps of a unit and the unit's file are read once, at the first question.
of_state() { # unit property
  if [ "$state_unit" != "$1" ]; then
    slurp "$LAB_ROOT/run/systemd/$1/state"
    state_unit=$1
    state_text=$text
  fi
  text=$state_text
  first_of "$2"
}

of_file() { # unit key
  if [ "$file_unit" != "$1" ]; then
    slurp "$units/$1"
    file_unit=$1
    file_text=$text
  fi
  text=$file_text
  last_of "$2"
}

active_state() { # unit
  of_state "$1" ActiveState
  value=${value:-inactive}
}

file_state() { # unit
  if masked "$1"; then
    value=masked
  elif ! exists "$1"; then
    value=
  elif enabled "$1"; then
    value=enabled
  else
    of_file "$1" WantedBy
    case $text in *"$newline[Install]"*) value=disabled ;; *) value=static ;; esac
  fi
}

load_state() { # unit
  if masked "$1"; then value=masked; elif exists "$1"; then value=loaded; else value=not-found; fi
}

# Is the file on disk no longer what was loaded?
stale() { # unit
  loaded="$LAB_ROOT/run/systemd/$1/loaded"
  [ -f "$loaded" ] || return 1
  for drop_in in "$units/$1.d"/*.conf; do
    [ -e "$drop_in" ] || continue
    @CAT@ "$units/$1" "$units/$1.d"/*.conf 2>/dev/null | cmp -s - "$loaded" && return 1
    return 0
  done
  if exists "$1"; then
    same_text "$units/$1" "$loaded" && return 1
    return 0
  fi
  [ -s "$loaded" ]
}

same_text() { # file file
  while :; do
    IFS= read -r left <&3 && left=$left$newline
    IFS= read -r right <&4 && right=$right$newline
    [ "$left" = "$right" ] || return 1
    case $left in *"$newline") ;; *) return 0 ;; esac
  done 3<"$1" 4<"$2"
}

property() { # unit property
  case $2 in
    Id | Names) value=$1 ;;
    LoadState) load_state "$1" ;;
    UnitFileState) file_state "$1" ;;
    FragmentPath) if exists "$1"; then value=$units/$1; else value=; fi ;;
    ActiveState) active_state "$1" ;;
    SubState) of_state "$1" SubState && value=${value:-dead} ;;
    MainPID | ExecMainPID | NRestarts | ExecMainStatus | ExecMainStartTimestampMonotonic)
      of_state "$1" "$2" && value=${value:-0} ;;
    Result) of_state "$1" "$2" && value=${value:-success} ;;
    Type | Restart | Description | KillMode) of_file "$1" "$2" ;;
    NeedDaemonReload) if stale "$1"; then value=yes; else value=no; fi ;;
    *) of_state "$1" "$2" ;;
  esac
}

all_properties='Id Names Description LoadState ActiveState SubState UnitFileState FragmentPath Type Restart KillMode MainPID
ExecMainPID ExecMainStatus ExecMainStartTimestamp ExecMainStartTimestampMonotonic ActiveEnterTimestamp InvocationID NRestarts
Result NeedDaemonReload'

show() { # unit
  blanks=$IFS
  IFS=", $newline"
  for property in ${properties:-$all_properties}; do
    IFS=$blanks
    property "$1" "$property"
    [ -n "$values_only" ] || printf '%s=' "$property"
    printf '%s\n' "$value"
  done
  IFS=$blanks
}

missing() {
  exists "$1" || masked "$1" && return 1
  echo "Failed to $verb $1: Unit $1 not found." >&2
}

warn_stale() {
  stale "$1" || return 0
  echo "Warning: The unit file, source configuration file or drop-ins of $1 changed on disk. Run 'systemctl daemon-reload' to reload units." >&2
}

# Runs the job apart from this process; a killed systemctl does not undo what it asked for.
run_job() { # start|stop|restart unit
  [ "$1" = stop ] || warn_stale "$2"
  take_ticket "$2"
  state_unit=
  if [ -z "$block" ]; then
    start_job "$1" "$2" '' 9>/dev/null &
    return 0
  fi
  # Read until all who could still answer have ended or have closed it, so that one who was killed keeps nobody waiting.
  outcome=$(start_job "$1" "$2" answer 9>&1)
  case $outcome in
    'done') return 0 ;;
    failed)
      echo "Job for $2 failed because the control process exited with error code." >&2
      echo "See \"systemctl status $2\" and \"journalctl -xeu $2\" for details." >&2
      ;;
    *) echo "Failed to wait for response: Connection reset by peer" >&2 ;;
  esac
  return 1
}

# Jobs on one unit run in the order they were asked for. A ticket holds the id of its job once that runs.
take_ticket() { # unit: sets ticket
  read -r ticket _ </proc/uptime
  ticket=000000000000${ticket%.*}${ticket#*.}
  ticket=${ticket#"${ticket%????????????}"}-
  padded=0000000$$
  ticket=$ticket${padded#"${padded%???????}"}
  queue="$LAB_ROOT/run/systemd/$1/queue"
  [ -d "$queue" ] || mkdir -p "$queue"
  : >"$queue/$ticket"
}

# A process of the machine, not of whoever asked: own session, no inherited streams, a clean environment.
start_job() { # start|stop|restart unit answer
  launcher=setsid
  command -v setsid >/dev/null 2>&1 || launcher=
  exec env -i PATH="$LAB_ROOT/usr/local/bin:$LAB_ROOT/usr/bin:@PATH@" LAB_ROOT="$LAB_ROOT" LAB_HOST='@HOST@' \
    $launcher "$LAB_ROOT/lab/bin/lab-unit" "$1" "$2" "$ticket" "$3" </dev/null >/dev/null 2>>"$LAB_ROOT/lab/lab-unit.err"
}

enable_unit() {
  enabled "$1" && return 0
  [ -d "$units/multi-user.target.wants" ] || mkdir -p "$units/multi-user.target.wants"
  ln -s "$units/$1" "$units/multi-user.target.wants/$1"
  [ -n "$quiet" ] || echo "Created symlink $units/multi-user.target.wants/$1 → $units/$1." >&2
}

disable_unit() {
  enabled "$1" || return 0
  rm -f "$units/multi-user.target.wants/$1"
  [ -n "$quiet" ] || echo "Removed \"$units/multi-user.target.wants/$1\"." >&2
}

reload_daemon() {
  for loaded in "$LAB_ROOT"/run/systemd/*/loaded; do
    [ -f "$loaded" ] || continue
    name=${loaded%/loaded}
    name=${name##*/}
    ! stale "$name" || load "$name"
  done
}

status() { # unit
  load_state "$1"
  if [ "$value" = not-found ]; then
    echo "Unit $1 could not be found." >&2
    return 4
  fi
  line=$value
  property "$1" Description && echo "● $1 - $value"
  file_state "$1" && echo "     Loaded: $line ($units/$1; $value; preset: enabled)"
  active_state "$1" && active=$value
  property "$1" SubState && line="$active ($value)"
  property "$1" ActiveEnterTimestamp && echo "     Active: $line since $value"
  property "$1" MainPID && echo "   Main PID: $value"
  echo
  "$LAB_ROOT/usr/bin/journalctl" -u "$1" -n 10
  [ "$active" = active ] || return 3
}

list_units() {
  for file in "$units"/*.service; do
    [ -f "$file" ] || continue
    unit=${file##*/}
    if [ "$verb" = list-units ]; then
      line=$unit
      for property in LoadState ActiveState SubState Description; do property "$unit" "$property" && line="$line $value"; done
      echo "$line"
    else
      file_state "$unit" && echo "$unit $value enabled"
    fi
  done
}

rc=0
set -f
set -- $names
set +f
case $verb in
  daemon-reload | daemon-reexec) reload_daemon ;;
  show) if [ $# = 0 ]; then echo "Version=252"; else for unit; do show "$unit"; done; fi ;;
  start | stop | restart | reload | reload-or-restart | try-restart)
    for unit; do
      if missing "$unit"; then rc=5 && continue; fi
      if masked "$unit" && [ "$verb" != stop ]; then echo "Failed to $verb $unit: Unit $unit is masked." >&2 && rc=1 && continue; fi
      case $verb in
        reload | reload-or-restart) action=restart ;;
        try-restart) if active_state "$unit" && [ "$value" = active ]; then action=restart; else continue; fi ;;
        *) action=$verb ;;
      esac
      run_job "$action" "$unit" || rc=1
    done
    ;;
  enable | disable | mask | unmask)
    for unit; do
      if missing "$unit"; then rc=1 && continue; fi
      case $verb in
        enable) enable_unit "$unit" && if [ -n "$now" ]; then run_job start "$unit" || rc=1; fi ;;
        disable) disable_unit "$unit" && if [ -n "$now" ]; then run_job stop "$unit" || rc=1; fi ;;
        mask) ln -sf /dev/null "$units/$unit" ;;
        unmask) if masked "$unit"; then rm -f "$units/$unit"; fi ;;
      esac
    done
    ;;
  is-active)
    rc=3
    for unit; do
      active_state "$unit"
      [ -n "$quiet" ] || echo "$value"
      [ "$value" = active ] && rc=0
    done
    ;;
  is-failed)
    rc=1
    for unit; do
      active_state "$unit"
      [ -n "$quiet" ] || echo "$value"
      [ "$value" = failed ] && rc=0
    done
    ;;
  is-enabled)
    rc=1
    for unit; do
      load_state "$unit"
      if [ "$value" = not-found ]; then
        echo "Failed to get unit file state for $unit: No such file or directory" >&2
        continue
      fi
      file_state "$unit"
      [ -n "$quiet" ] || echo "$value"
      case $value in enabled | static) rc=0 ;; esac
    done
    ;;
  is-system-running) echo running ;;
  status) for unit; do status "$unit" || rc=$?; done ;;
  cat)
    for unit; do
      if ! exists "$unit"; then echo "No files found for $unit." >&2 && rc=1 && continue; fi
      for file in "$units/$unit" "$units/$unit.d"/*.conf; do
        [ -f "$file" ] && echo "# $file" && @CAT@ "$file"
      done
    done
    ;;
  reset-failed)
    for unit; do active_state "$unit" && [ "$value" = failed ] && rm -f "$LAB_ROOT/run/systemd/$unit/state"; done
    rc=0
    ;;
  kill) for unit; do property "$unit" MainPID && kill "$value"; done ;;
  list-unit-files | list-units) list_units ;;
  lab-boot) for link in "$units"/multi-user.target.wants/*; do [ -e "$link" ] && block= && run_job start "${link##*/}"; done ;;
  reboot | poweroff) exec "$LAB_ROOT/usr/bin/$verb" ;;
  *)
    echo "Unknown command verb '$verb'." >&2
    rc=1
    ;;
esac
exit $rc
