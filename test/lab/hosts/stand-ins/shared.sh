# What the stand-ins of a host share. All of it is done by the shell itself: the lab's time goes into starting processes.
tab='	'
newline='
'

knob() { # name default: sets knob to what a test set in lab/knobs
  knob=$2
  [ ! -f "$LAB_ROOT/lab/knobs/$1" ] || IFS= read -r knob <"$LAB_ROOT/lab/knobs/$1" || :
}

# Sets text to the lines of a file with a line end before and after each, so that a line begins and ends with one.
slurp() { # file
  text=$newline
  [ -r "$1" ] || return 0
  while IFS= read -r text_line || [ -n "$text_line" ]; do text=$text$text_line$newline; done <"$1"
}

first_of() { # key: sets value to what stands behind the first KEY= of text
  value=
  case $text in *"$newline$1="*) value=${text#*"$newline$1="} && value=${value%%"$newline"*} ;; esac
}

last_of() { # key: the same of the last KEY=
  value=
  case $text in *"$newline$1="*) value=${text##*"$newline$1="} && value=${value%%"$newline"*} ;; esac
}

clock() { # sets now to the seconds since 1970, by the time since the machine started
  read -r now _ </proc/uptime
  now=$(((@BOOTED@ + ${now%.*}${now#*.}) / 100))
}

# Sets year, month, day, hour, minute, second (of two digits), weekday and month_name, in UTC.
# https://howardhinnant.github.io/date_algorithms.html#civil_from_days
calendar() { # seconds since 1970
  second=$(($1 % 86400))
  hour=$((second / 3600 + 100)) && hour=${hour#1}
  minute=$((second / 60 % 60 + 100)) && minute=${minute#1}
  second=$((second % 60 + 100)) && second=${second#1}
  day=$(($1 / 86400))
  case $(((day + 4) % 7)) in
    0) weekday=Sun ;; 1) weekday=Mon ;; 2) weekday=Tue ;; 3) weekday=Wed ;; 4) weekday=Thu ;; 5) weekday=Fri ;; 6) weekday=Sat ;;
  esac
  day=$((day + 719468))
  year=$((day / 146097 * 400))
  day=$((day % 146097))
  era_year=$(((day - day / 1460 + day / 36524 - day / 146096) / 365))
  day=$((day - (365 * era_year + era_year / 4 - era_year / 100)))
  month=$(((5 * day + 2) / 153))
  day=$((day - (153 * month + 2) / 5 + 101)) && day=${day#1}
  year=$((year + era_year + month / 10))
  month=$(((month + 2) % 12 + 101)) && month=${month#1}
  case $month in
    01) month_name=Jan ;; 02) month_name=Feb ;; 03) month_name=Mar ;; 04) month_name=Apr ;; 05) month_name=May ;; 06) month_name=Jun ;;
    07) month_name=Jul ;; 08) month_name=Aug ;; 09) month_name=Sep ;; 10) month_name=Oct ;; 11) month_name=Nov ;; 12) month_name=Dec ;;
  esac
}

load() { # unit: what is run from now on is what its files say now
  loaded="$LAB_ROOT/run/systemd/$1/loaded"
  @CAT@ "$units/$1" "$units/$1.d"/*.conf >"$loaded.new" 2>/dev/null
  mv -f "$loaded.new" "$loaded"
}
