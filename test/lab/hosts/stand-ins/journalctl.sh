#!@SHELL@
# journalctl of a lab host: lines of one unit, the newest last.
LAB_ROOT='@ROOT@'
. "$LAB_ROOT/lab/bin/shared"
unit=
lines=
output=short
while [ $# -gt 0 ]; do
  case $1 in
    -u | --unit) unit=$2 && shift ;;
    -u*) unit=${1#-u} ;;
    -xeu | -eu | -xu) unit=$2 && shift ;;
    --unit=*) unit=${1#*=} ;;
    -n | --lines) lines=$2 && shift ;;
    -n*) lines=${1#-n} ;;
    --lines=*) lines=${1#*=} ;;
    -o | --output) output=$2 && shift ;;
    --output=*) output=${1#*=} ;;
    -S | --since | -U | --until | -p | --priority | -b) case ${2:-} in '' | -*) ;; *) shift ;; esac ;;
  esac
  shift
done
case $unit in '' | *.service) ;; *) unit=$unit.service ;; esac
file="$LAB_ROOT/var/log/journal/$unit"
if [ ! -f "$file" ]; then
  echo '-- No entries --'
  exit 0
fi
tail -n "${lines:-1000}" "$file" | while IFS='	' read -r when identifier pid text; do
  if [ "$output" = cat ]; then
    printf '%s\n' "$text"
  else
    calendar "$when"
    printf '%s %s %s %s[%s]: %s\n' "$month_name $day" "$hour:$minute:$second" '@HOST@' "$identifier" "$pid" "$text"
  fi
done
