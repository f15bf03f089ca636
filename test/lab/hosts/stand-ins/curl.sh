#!@SHELL@
# For machines with neither curl nor wget.
exec '@NODE@' --no-warnings '@CURL@' "$@"
