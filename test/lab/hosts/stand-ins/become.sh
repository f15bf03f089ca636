#!@SHELL@
# sudo, su and doas of a lab host. Nobody becomes anybody: the command runs as before, with LAB_BECAME set to the user that
# was asked for. What is kept is how they ask for a password, what they say and how they leave. The password is the knob
# `become-password`; without it none is needed.
LAB_ROOT='@ROOT@'
called=${0##*/}
caller=${USER:-}
user=root
prompt="[sudo] password for $caller: "
read_from_stdin=
never_ask=
command=
password=
[ ! -f "$LAB_ROOT/lab/knobs/become-password" ] || read -r password <"$LAB_ROOT/lab/knobs/become-password"

refuse() {
  echo "$1" >&2
  exit 1
}

ask() { # prompt: is what comes on stdin the password?
  printf '%s' "$1" >&2
  IFS= read -r given || refuse "$called: no password was provided"
  [ "$given" = "$password" ]
}

authenticate() {
  [ -n "$password" ] || return 0
  case $called in
    doas) refuse 'doas: Authentication required' ;;
    su) ask 'Password: ' || refuse 'su: Authentication failure' ;;
    *)
      [ -z "$never_ask" ] || refuse 'sudo: a password is required'
      if [ -z "$read_from_stdin" ]; then
        echo 'sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper' >&2
        refuse 'sudo: a password is required'
      fi
      for attempt in 1 2 3; do
        ask "$prompt" && return 0
        [ $attempt = 3 ] || printf '\nSorry, try again.\n' >&2
      done
      printf '\n' >&2
      refuse 'sudo: 3 incorrect password attempts'
      ;;
  esac
}

if [ "$called" = su ]; then
  while [ $# -gt 0 ]; do
    case $1 in
      -c) command=$2 && shift ;;
      -s | -g) shift ;;
      -*) ;;
      *) user=$1 ;;
    esac
    shift
  done
  set -- @SHELL@
  [ -z "$command" ] || set -- "$@" -c "$command"
else
  while [ $# -gt 0 ]; do
    case $1 in
      -u) user=$2 && shift ;;
      -p) prompt=$2 && shift ;;
      -S) read_from_stdin=yes ;;
      -n) never_ask=yes ;;
      --)
        shift
        break
        ;;
      -*) ;;
      *) break ;;
    esac
    shift
  done
  [ $# -gt 0 ] || refuse "usage: $called [-n] [-S] [-p prompt] [-u user] command"
fi
authenticate
if [ "$called" != su ]; then
  # Like env_reset: what the caller had exported does not come along.
  set -- env -i @SHELL@ -c '. "$0"; USER=$1 LOGNAME=$1 SUDO_USER=$2 LAB_BECAME=$1; export USER LOGNAME SUDO_USER LAB_BECAME; shift 2; exec "$@"' \
    "$LAB_ROOT/lab/environment" "$user" "$caller" "$@"
fi
LAB_BECAME=$user
export LAB_BECAME
exec "$@"
