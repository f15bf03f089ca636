#!@SHELL@
# reboot, poweroff and `shutdown -r` of a lab host: asks the lab, which ends every process of the host.
LAB_ROOT='@ROOT@'
request=${0##*/}
case "$request $*" in
  shutdown\ *-c*) exit 0 ;;
  shutdown\ *-r*) request=reboot ;;
  shutdown\ * | halt\ *) request=poweroff ;;
esac
printf '%s\n' "$request" >>"$LAB_ROOT/lab/events"
