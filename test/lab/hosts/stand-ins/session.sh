#!/bin/sh
# What a real sshd is forced to run for every session: the command in the host's environment, by the host's own shell.
. '@ROOT@/lab/environment'
cd "$HOME" || exit 1
if [ -n "${SSH_ORIGINAL_COMMAND+set}" ]; then
  command=$SSH_ORIGINAL_COMMAND
  unset SSH_ORIGINAL_COMMAND
  exec @SHELL@ -c "$command"
fi
exec @SHELL@
