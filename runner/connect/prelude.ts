import { ReeveError } from '../errors.ts';

/*
 * The program that a persistent shell runs: a few functions, then a loop that evaluates one line per request.
 *
 * It travels as one single-quoted word through whatever login shell the user has (fish, csh, zsh), so it holds no single
 * quote, no newline and no `!`. Names begin with `_` to keep out of the scripts' way. docs/design/shell-protocol.md
 * explains the frames.
 */

/** What a target's PATH must have; a non-interactive ssh session often lacks the sbin folders. */
const WANTED_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Descriptor 3 is the real stderr: the shell's own complaints («Killed», «Broken pipe») belong to no request. */
const SILENCE = 'exec 3>&2 2>/dev/null';

/**
 * A caught (not ignored) SIGPIPE lets the folder be removed, and the file that is being written (`_y`, files.ts); children
 * get the signal's default action back.
 */
const CLEAN_UP =
  '_X(){ if [ "$_t" ];then rm -rf "$_t";fi;if [ "$_y" ];then rm -f "$_y";fi;};trap _X EXIT;trap "exit 1" HUP TERM PIPE';

const ENVIRONMENT = [
  `for _i in ${WANTED_PATH.join(' ')};do case :$PATH: in *:$_i:*);;*)PATH=\${PATH:+$PATH:}$_i;;esac;done`,
  'LC_ALL=C',
  'export PATH LC_ALL',
  'unset CDPATH',
  'umask 022',
  '_n=$(printf "\\n.")',
  '_n=${_n%.}',
].join(';');

/**
 * `_D N` copies exactly N bytes from the channel to stdout, and takes the newline that must follow. With GNU or busybox dd
 * a block is one read in full; elsewhere byte by byte, slow but exact (head -c of busybox reads past N). When the channel
 * ends early, nothing may run on half of its script or input: the shell exits. `_z` is set when a block cannot be written.
 */
const CONTENT = [
  '_F(){ dd bs=$1 count=1 iflag=fullblock 2>/dev/null;}',
  '_B(){ dd ibs=1 obs=65536 count=$1 2>/dev/null;}',
  '_P(){ if _F 1;then _b=1048576;_f=_F;else _b=65536;_f=_B;fi;}</dev/null',
  '_D(){ _i=$1;while [ $_i -gt $_b ];do $_f $_b||_z=1;_i=$((_i-_b));done;$_f $_i||_z=1;IFS= read -r _l||exit 1;}',
].join(';');

/** `_E NONCE CODE` ends a frame on both streams; the code is `F` when no temporary file could be written. */
const END = '_E(){ printf "%s %s\\n" "$1" $2;printf %s "$1">&3;}';

/**
 * The shell's own folder, made once when it is needed. mkdir fails on anything that is there and the name is random: as
 * safe as mktemp -d, without needing it. `_a NUMBER N` stores N bytes of the channel in it, `_q NUMBER TEXT` a short text.
 */
const FOLDER = [
  '_m(){ for _i in "${TMPDIR:-/tmp}" /var/tmp /dev/shm "$HOME";do if mkdir -m 700 "$_i/.reeve-$_k";then _t=$_i/.reeve-$_k;break;fi;done;_g=;if command -v setsid >/dev/null;then _g=setsid;fi;}',
  '_q(){ [ "$_t" ]&&printf %s "$2">"$_t/$1.i";}',
  '_a(){ _z=;if _q $1 "";then _D $2>"$_t/$1.i";else _D $2>/dev/null;_z=1;fi;[ -z "$_z" ];}',
].join(';');

/**
 * Direct requests: `_d NONCE SCRIPT` costs one fork; `_p NONCE SCRIPT TEXT` two; `_c NONCE SCRIPT NUMBER`, with input from a
 * file, one beside the dd that wrote it. The subshell drops its arguments first, so that no script can print the nonce.
 * `_e NONCE SCRIPT` has no subshell and no fork, for scripts that are known to leave the shell as it is; `_r` is `_c` so.
 */
const DIRECT = [
  '_e(){ { eval "$2";}</dev/null 2>&3 3>&-;_E "$1" $?;}',
  '_r(){ { eval "$2";}<"$_t/$3.i" 2>&3 3>&-;_E "$1" $?;true>"$_t/$3.i";}',
  '_d(){ (_l=;_s=$2;set --;eval "$_s")</dev/null 2>&3 3>&-;_E "$1" $?;}',
  '_p(){ printf %s "$3"|(_l=;_s=$2;set --;eval "$_s")2>&3 3>&-;_E "$1" $?;}',
  '_c(){ (_l=;_s=$2;set --;eval "$_s")<"$_t/$3.i" 2>&3 3>&-;_E "$1" $?;true>"$_t/$3.i";}',
].join(';');

/**
 * Isolated requests: `_i NONCE NUMBER SCRIPT SET-UP`. The script goes by a file rather than by `sh -c`, since arguments are
 * public in the process table and limited in length. The pid is announced, then the frame follows. Files are emptied at
 * once and removed many requests at a time (`_v`), after the frame: a process left in the background keeps its own.
 */
const ISOLATED = [
  '_i(){ _o=$_t/$2;if [ "$_t" ]&&printf %s "$3">"$_o.s";then _j=/dev/null;if [ -f "$_o.i" ];then _j=$_o.i;fi',
  '{ eval "$4"&&exec $_g $_h "$_o.s";}<"$_j">>"$_o.o" 2>>"$_o.e" 3>&-& _i=$!',
  'printf "%sP%d %s\\n" "$1" $_i "$_o"',
  'wait $_i;_r=$?',
  'if [ -s "$_o.o" ];then cat "$_o.o";true>"$_o.o";fi',
  'if [ -s "$_o.e" ];then cat "$_o.e">&3;true>"$_o.e";fi',
  '_E "$1" $_r;true>"$_o.s";if [ $_j = "$_o.i" ];then true>$_j;fi',
  'else _x "$1";fi;}',
  '_x(){ printf "%sP0 -\\n" "$1";_E "$1" F;}',
  '_v(){ rm -f "$_t"/*;}',
].join(';');

const LOOP = 'while IFS= read -r _l;do eval "$_l";done';

/**
 * The text for `sh -c`. `hello` is printed on both streams when the shell is ready, followed on stdout by its pid; it
 * stands in two halves in the text, so that an echo of the command line (a login script with `set -x`) is not taken for
 * it. `shell` runs isolated scripts; it may be two words (`busybox sh`).
 */
export function prelude(hello: string, folder: string, shell: string): string {
  if (!/^[\w./+ -]+$/.test(shell)) {
    throw new ReeveError('bad-shell', `«${shell}» cannot be the shell of a target`, {
      hint: 'Give a path or a name, such as /bin/dash or `busybox sh`.',
    });
  }
  const half = hello.length >> 1;
  const halves = `${hello.slice(0, half)} ${hello.slice(half)}`;
  const greet = `printf "%s%s %d\\n" ${halves} $$;printf %s%s ${halves} >&3`;
  return [
    SILENCE,
    CLEAN_UP,
    ENVIRONMENT,
    `_t=;_y=;_b=;_k=${folder};_h="${shell}"`,
    CONTENT,
    END,
    FOLDER,
    DIRECT,
    ISOLATED,
    greet,
    LOOP,
  ].join(';');
}
