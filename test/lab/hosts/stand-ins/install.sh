#!/bin/sh
# The lab's install script: takes the variables, does the steps and prints the lines of the one that k3s.io serves, on the
# files of one lab host. It refuses to write anywhere else.
set -e

info() { echo '[INFO] ' "$@"; }
warn() { echo '[WARN] ' "$@" >&2; }
fatal() {
  echo '[ERROR] ' "$@" >&2
  exit 1
}

# Without the variable the folder of the binary says which host this is.
if [ -z "${LAB_ROOT:-}" ] && [ -f "${INSTALL_K3S_BIN_DIR%/usr/local/bin}/lab/events" ]; then
  LAB_ROOT=${INSTALL_K3S_BIN_DIR%/usr/local/bin}
fi
[ -n "${LAB_ROOT:-}" ] || fatal 'This is the install script of a lab: LAB_ROOT must name the host it is for'
# Whatever PATH says, the machine's own systemctl is never meant.
PATH=$LAB_ROOT/usr/local/bin:$LAB_ROOT/usr/bin:$PATH
export LAB_ROOT PATH

knob() { # name default: sets knob
  knob=$2
  [ ! -f "$LAB_ROOT/lab/knobs/$1" ] || IFS= read -r knob <"$LAB_ROOT/lab/knobs/$1" || :
}

in_lab() { # what path
  case $2 in "$LAB_ROOT"/*) ;; *) fatal "$1 $2 is outside of the lab's host $LAB_ROOT" ;; esac
}

quote() { # word: sets quoted to it in single quotes
  quoted="'"
  left=$1
  while :; do
    case $left in *\'*) ;; *) break ;; esac
    quoted="$quoted${left%%\'*}'\\''"
    left=${left#*\'}
  done
  quoted="$quoted$left'"
}

# Sets arguments to each of them in single quotes on a line of its own. The last one too ends in a backslash, before an
# empty line: readers of k3s units have to live with that.
quote_lines() {
  arguments=' \
'
  for word; do
    quote "$word"
    arguments="$arguments	$quoted \\
"
  done
}

download() { # file url
  if [ "$fetch" = curl ]; then curl -o "$1" -sfL "$2"; else wget -qO "$1" "$2"; fi
}

hash_of() { # file: sets hash
  hash=$(sha256sum "$1" 2>/dev/null) || :
  hash=${hash%% *}
}

installed_hashes() { sha256sum "$bin_dir/k3s" "$unit_file" "$env_file" 2>/dev/null || :; }

choose_command() { # the arguments of INSTALL_K3S_EXEC and of this script
  case ${1:-} in
    -* | '')
      if [ -z "${K3S_URL:-}" ]; then
        role=server
      else
        [ -n "${K3S_TOKEN:-}" ] || [ -n "${K3S_TOKEN_FILE:-}" ] || fatal \
          "Defaulted k3s exec command to 'agent' because K3S_URL is defined, but K3S_TOKEN or K3S_TOKEN_FILE is not defined."
        role=agent
      fi
      ;;
    *)
      role=$1
      shift
      ;;
  esac
  quote_lines "$@"
}

set_up() {
  case ${K3S_URL:-} in
    '' | https://*) ;;
    *) fatal "Only https:// URLs are supported for K3S_URL (have ${K3S_URL})" ;;
  esac
  words=
  for word; do quote "$word" && words="$words $quoted"; done
  eval "set -- ${INSTALL_K3S_EXEC:-} $words"
  choose_command "$@"
  if [ -n "${INSTALL_K3S_NAME:-}" ]; then
    system_name=k3s-$INSTALL_K3S_NAME
  elif [ "$role" = server ]; then
    system_name=k3s
  else
    system_name=k3s-$role
  fi
  case $system_name in *[!a-zA-Z0-9_.-]*) fatal "Invalid characters for system name: $system_name" ;; esac
  bin_dir=${INSTALL_K3S_BIN_DIR:-$LAB_ROOT/usr/local/bin}
  systemd_dir=${INSTALL_K3S_SYSTEMD_DIR:-$LAB_ROOT/etc/systemd/system}
  in_lab INSTALL_K3S_BIN_DIR "$bin_dir"
  in_lab INSTALL_K3S_SYSTEMD_DIR "$systemd_dir"
  unit_file=$systemd_dir/$system_name.service
  env_file=$systemd_dir/$system_name.service.env
  : "${GITHUB_URL:=@GITHUB_URL@}"
  : "${INSTALL_K3S_CHANNEL_URL:=@CHANNEL_URL@}"
  : "${INSTALL_K3S_CHANNEL:=stable}"
  case ${INSTALL_K3S_BIN_DIR_READ_ONLY:-} in true) INSTALL_K3S_SKIP_DOWNLOAD=true ;; esac
  before=$(installed_hashes)
}

find_version() {
  if [ -n "${INSTALL_K3S_COMMIT:-}" ]; then fatal 'The lab has no builds of commits'; fi
  if [ -n "${INSTALL_K3S_VERSION:-}" ]; then
    version=$INSTALL_K3S_VERSION
  else
    info "Finding release for channel ${INSTALL_K3S_CHANNEL}"
    url=$INSTALL_K3S_CHANNEL_URL/$INSTALL_K3S_CHANNEL
    case $fetch in
      curl) version=$(curl -w '%{url_effective}' -L -s -S "$url" -o /dev/null) || : ;;
      wget) version=$(wget -SqO /dev/null "$url" 2>&1 | grep -i Location | sed -e 's|.*/||' | tr -d '\r') ;;
    esac
    version=${version##*/}
    case $version in *%2[Bb]*) version=${version%%\%2[Bb]*}+${version#*%2[Bb]} ;; esac
  fi
  info "Using $version as release"
}

fetch_binary() {
  case ${INSTALL_K3S_SKIP_DOWNLOAD:-} in
    true | binary)
      [ -x "$bin_dir/k3s" ] || fatal "Executable k3s binary not found at $bin_dir/k3s"
      info 'Skipping k3s download and verify'
      return
      ;;
  esac
  knob downloader any
  if [ "$knob" = wget ]; then
    fetch=wget
  elif command -v curl >/dev/null 2>&1; then
    fetch=curl
  elif command -v wget >/dev/null 2>&1; then
    fetch=wget
  else
    fatal 'Can not find curl or wget for downloading files'
  fi
  find_version
  hash_url=$GITHUB_URL/download/$version/sha256sum-amd64.txt
  binary_url=$GITHUB_URL/download/$version/k3s
  work=$(mktemp -d "${TMPDIR:-/tmp}/k3s-install.XXXXXX")
  trap 'code=$?; rm -rf "$work"; exit $code' EXIT
  info "Downloading hash $hash_url"
  download "$work/hash" "$hash_url" || fatal 'Download failed'
  expected=
  while read -r hash name; do [ "$name" != k3s ] || expected=$hash; done <"$work/hash"
  hash_of "$bin_dir/k3s"
  if [ "$hash" = "$expected" ]; then
    info 'Skipping binary downloaded, installed k3s matches hash'
    return
  fi
  info "Downloading binary $binary_url"
  download "$work/k3s" "$binary_url" || fatal 'Download failed'
  knob install normal
  [ "$knob" != corrupt ] || echo '# bad' >>"$work/k3s"
  info 'Verifying binary download'
  hash_of "$work/k3s"
  [ "$hash" = "$expected" ] || fatal "Download sha256 does not match $expected, got $hash"
  chmod 755 "$work/k3s"
  info "Installing k3s to $bin_dir/k3s"
  [ -d "$bin_dir" ] || mkdir -p "$bin_dir"
  # Beside the target first: a rename over a busy binary works, and it is atomic only on one file system.
  mv -f "$work/k3s" "$bin_dir/.k3s.new"
  mv -f "$bin_dir/.k3s.new" "$bin_dir/k3s"
}

link_commands() {
  [ "${INSTALL_K3S_SYMLINK:-}" != skip ] || return 0
  for name in kubectl crictl ctr; do
    if [ -e "$bin_dir/$name" ] && [ "${INSTALL_K3S_SYMLINK:-}" != force ]; then
      info "Skipping $bin_dir/$name symlink to k3s, already exists"
    elif command -v $name >/dev/null && found=$(command -v $name) && [ "${INSTALL_K3S_SYMLINK:-}" != force ]; then
      info "Skipping $bin_dir/$name symlink to k3s, command exists in PATH at $found"
    else
      info "Creating $bin_dir/$name symlink to k3s"
      ln -sf k3s "$bin_dir/$name"
    fi
  done
}

write_scripts() {
  killall=$bin_dir/k3s-killall.sh
  uninstall=$bin_dir/$system_name-uninstall.sh
  info "Creating killall script $killall"
  printf '%s\n' "#!/bin/sh
PATH=$LAB_ROOT/usr/bin:\$PATH
for unit in \"$systemd_dir\"/k3s*.service; do
  [ -e \"\$unit\" ] && systemctl stop \"\${unit##*/}\"
done
exit 0" >"$killall"
  info "Creating uninstall script $uninstall"
  printf '%s\n' "#!/bin/sh
PATH=$LAB_ROOT/usr/bin:\$PATH
\"$killall\"
systemctl disable $system_name
rm -f \"$unit_file\" \"$env_file\"
systemctl daemon-reload
rm -rf \"$LAB_ROOT/etc/rancher/k3s\" \"$LAB_ROOT/var/lib/rancher/k3s\"
rm -f \"$bin_dir/k3s\" \"$uninstall\" \"$killall\"" >"$uninstall"
  chmod 755 "$killall" "$uninstall"
}

write_environment() {
  info "env: Creating environment file $env_file"
  [ -d "$systemd_dir" ] || mkdir -p "$systemd_dir"
  (umask 077 && : >"$env_file")
  knob install normal
  [ "$knob" != lose-env ] || return 0
  proxies=
  exports=$(export -p)
  while IFS= read -r line; do
    line=${line#export }
    line=${line#declare -x }
    case $line in
      K3S_* | CONTAINERD_*) printf '%s\n' "$line" ;;
      [Nn][Oo]_[Pp][Rr][Oo][Xx][Yy]* | [Hh][Tt][Tt][Pp]_[Pp][Rr][Oo][Xx][Yy]* | [Hh][Tt][Tt][Pp][Ss]_[Pp][Rr][Oo][Xx][Yy]*)
        proxies="$proxies$line
"
        ;;
    esac
  done >>"$env_file" <<EXPORTS
$exports
EXPORTS
  printf '%s' "$proxies" >>"$env_file"
}

write_unit() {
  info "systemd: Creating service file $unit_file"
  knob install normal
  [ "$knob" != lose-flags ] || quote_lines
  printf '%s\n' "[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=${INSTALL_K3S_TYPE:-notify}
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-$env_file
KillMode=process
Delegate=yes
User=root
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=$bin_dir/k3s \\
    $role$arguments" >"$unit_file"
}

enable_and_start() {
  [ "${INSTALL_K3S_SKIP_ENABLE:-}" != true ] || return 0
  info "systemd: Enabling $system_name unit"
  systemctl enable "$unit_file" >/dev/null
  systemctl daemon-reload >/dev/null
  [ "${INSTALL_K3S_SKIP_START:-}" != true ] || return 0
  if [ "$before" = "$(installed_hashes)" ] && [ "${INSTALL_K3S_FORCE_RESTART:-}" != true ]; then
    info 'No change detected so skipping service start'
    return 0
  fi
  info "systemd: Starting $system_name"
  systemctl restart "$system_name"
}

misbehave() { # what a test set for this host: fail, slow SECONDS, chatty LINES
  # shellcheck disable=SC2086
  knob install normal
  set -- $knob
  case $1 in
    fail) fatal 'Failed to install: the lab was told so' ;;
    slow) sleep "$2" ;;
    chatty)
      line=0
      while [ $line -lt "$2" ]; do
        line=$((line + 1))
        info "line $line of a long story that nobody reads to its end"
      done
      ;;
  esac
}

set_up "$@"
misbehave
fetch_binary
info 'Skipping installation of SELinux RPM'
link_commands
write_scripts
systemctl disable "$system_name" >/dev/null 2>&1 || :
rm -f "$unit_file" "$env_file"
write_environment
write_unit
enable_and_start
