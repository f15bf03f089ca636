#!@SHELL@
# systemctl of a lab host. State is below run/systemd/UNIT/; lab-unit does the work of process 1.
LAB_ROOT='@ROOT@'
units="$LAB_ROOT/etc/systemd/system"
properties=
values_only=
block=yes
now=
quiet=
verb=
names=

add_properties() { properties="$properties $(echo "$1" | tr ',' ' ')"; }

while [ $# -gt 0 ]; do
  case $1 in
    -p | --property) add_properties "$2" && shift ;;
    -p*) add_properties "${1#-p}" ;;
    --property=*) add_properties "${1#*=}" ;;
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

value_of() { # unit property: from the state that lab-unit keeps
  sed -n "s/^$2=//p" "$LAB_ROOT/run/systemd/$1/state" 2>/dev/null
}

exists() { [ -f "$units/$1" ]; }
masked() { [ -L "$units/$1" ] && [ "$(readlink "$units/$1")" = /dev/null ]; }
enabled() { [ -e "$units/multi-user.target.wants/$1" ] || [ -L "$units/multi-user.target.wants/$1" ]; }

active_state() {
  state=$(value_of "$1" ActiveState)
  echo "${state:-inactive}"
}

file_state() {
  if masked "$1"; then
    echo masked
  elif ! exists "$1"; then
    echo
  elif enabled "$1"; then
    echo enabled
  elif grep -q '^\[Install\]' "$units/$1"; then
    echo disabled
  else
    echo static
  fi
}

load_state() {
  if masked "$1"; then echo masked; elif exists "$1"; then echo loaded; else echo not-found; fi
}

stale() { # the file on disk is no longer what was loaded
  [ -f "$LAB_ROOT/run/systemd/$1/loaded" ] || return 1
  cat "$units/$1" "$units/$1.d"/*.conf 2>/dev/null | cmp -s - "$LAB_ROOT/run/systemd/$1/loaded" && return 1
  return 0
}

property() { # unit property: its value
  case $2 in
    Id | Names) echo "$1" ;;
    LoadState) load_state "$1" ;;
    UnitFileState) file_state "$1" ;;
    FragmentPath) if exists "$1"; then echo "$units/$1"; else echo; fi ;;
    ActiveState) active_state "$1" ;;
    SubState) state=$(value_of "$1" SubState) && echo "${state:-dead}" ;;
    MainPID | ExecMainPID | NRestarts | ExecMainStatus | ExecMainStartTimestampMonotonic)
      state=$(value_of "$1" "$2") && echo "${state:-0}" ;;
    Result) state=$(value_of "$1" "$2") && echo "${state:-success}" ;;
    Type | Restart | Description | KillMode) sed -n "s/^$2=//p" "$units/$1" 2>/dev/null | tail -n 1 ;;
    NeedDaemonReload) if stale "$1"; then echo yes; else echo no; fi ;;
    *) value_of "$1" "$2" ;;
  esac
}

all_properties='Id Names Description LoadState ActiveState SubState UnitFileState FragmentPath Type Restart KillMode MainPID
ExecMainPID ExecMainStatus ExecMainStartTimestamp ExecMainStartTimestampMonotonic ActiveEnterTimestamp InvocationID NRestarts
Result NeedDaemonReload'

show() {
  for property in ${properties:-$all_properties}; do
    value=$(property "$1" "$property")
    if [ -n "$values_only" ]; then echo "$value"; else echo "$property=$value"; fi
  done
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
  mkdir -p "$LAB_ROOT/run/systemd/$2"
  answer=
  [ -z "$block" ] || answer="$LAB_ROOT/run/systemd/$2/answer.$$"
  [ "$1" = stop ] || warn_stale "$2"
  "$LAB_ROOT/lab/bin/lab-unit" spawn-job "$1" "$2" "$answer"
  [ -n "$block" ] || return 0
  until [ -s "$answer" ]; do sleep 0.02; done
  read -r outcome <"$answer"
  rm -f "$answer"
  [ "$outcome" = failed ] || return 0
  echo "Job for $2 failed because the control process exited with error code." >&2
  echo "See \"systemctl status $2\" and \"journalctl -xeu $2\" for details." >&2
  return 1
}

enable_unit() {
  mkdir -p "$units/multi-user.target.wants"
  enabled "$1" && return 0
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
    "$LAB_ROOT/lab/bin/lab-unit" load "${name##*/}"
  done
}

status() {
  if [ "$(load_state "$1")" = not-found ]; then
    echo "Unit $1 could not be found." >&2
    return 4
  fi
  echo "● $1 - $(property "$1" Description)"
  echo "     Loaded: $(load_state "$1") ($units/$1; $(file_state "$1"); preset: enabled)"
  echo "     Active: $(active_state "$1") ($(property "$1" SubState)) since $(property "$1" ActiveEnterTimestamp)"
  echo "   Main PID: $(property "$1" MainPID)"
  echo
  "$LAB_ROOT/usr/bin/journalctl" -u "$1" -n 10
  [ "$(active_state "$1")" = active ] || return 3
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
        try-restart) if [ "$(active_state "$unit")" = active ]; then action=restart; else continue; fi ;;
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
      [ -n "$quiet" ] || active_state "$unit"
      [ "$(active_state "$unit")" = active ] && rc=0
    done
    ;;
  is-failed)
    rc=1
    for unit; do
      [ -n "$quiet" ] || active_state "$unit"
      [ "$(active_state "$unit")" = failed ] && rc=0
    done
    ;;
  is-enabled)
    rc=1
    for unit; do
      case $(load_state "$unit") in
        not-found)
          echo "Failed to get unit file state for $unit: No such file or directory" >&2
          continue
          ;;
      esac
      [ -n "$quiet" ] || file_state "$unit"
      case $(file_state "$unit") in enabled | static) rc=0 ;; esac
    done
    ;;
  is-system-running) echo running ;;
  status) for unit; do status "$unit" || rc=$?; done ;;
  cat)
    for unit; do
      if ! exists "$unit"; then echo "No files found for $unit." >&2 && rc=1 && continue; fi
      for file in "$units/$unit" "$units/$unit.d"/*.conf; do
        [ -f "$file" ] && echo "# $file" && cat "$file"
      done
    done
    ;;
  reset-failed)
    for unit; do [ "$(active_state "$unit")" = failed ] && rm -f "$LAB_ROOT/run/systemd/$unit/state"; done
    rc=0
    ;;
  kill) for unit; do kill "$(property "$unit" MainPID)"; done ;;
  list-unit-files | list-units)
    for file in "$units"/*.service; do
      [ -f "$file" ] || continue
      unit=${file##*/}
      if [ "$verb" = list-units ]; then
        echo "$unit $(load_state "$unit") $(active_state "$unit") $(property "$unit" SubState) $(property "$unit" Description)"
      else
        echo "$unit $(file_state "$unit") enabled"
      fi
    done
    ;;
  lab-boot) for link in "$units"/multi-user.target.wants/*; do [ -e "$link" ] && block= && run_job start "${link##*/}"; done ;;
  reboot | poweroff) exec "$LAB_ROOT/usr/bin/$verb" ;;
  *)
    echo "Unknown command verb '$verb'." >&2
    rc=1
    ;;
esac
exit $rc
