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

/** A caught (not ignored) SIGPIPE lets the folder be removed; children get the signal's default action back. */
const CLEAN_UP = '_X(){ if [ "$_t" ];then rm -rf "$_t";fi;};trap _X EXIT;trap "exit 1" HUP TERM PIPE';

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
 * `_D N` copies exactly N bytes from the channel to stdout. With GNU or busybox dd a block is one read in full; elsewhere
 * byte by byte, slow but exact (head -c of busybox reads past N). A block is read before it is written, and the loop goes
 * on when the writer meets a closed pipe: a command that ignores its input cannot leave part of it in the channel.
 */
const CONTENT = [
  '_F(){ dd bs=$1 count=1 iflag=fullblock 2>/dev/null;}',
  '_B(){ dd ibs=1 obs=65536 count=$1 2>/dev/null;}',
  '_P(){ if [ "$(printf xy|_F 2)" = xy ];then _b=1048576;_f=_F;else _b=65536;_f=_B;fi;}',
  '_D(){ _i=$1;while [ $_i -gt $_b ];do $_f $_b;_i=$((_i-_b));done;$_f $_i;}',
].join(';');

/** `_E NONCE CODE` ends a frame on both streams. */
const END = '_E(){ printf "%s %d\\n" "$1" "$2";printf %s "$1">&3;}';

/**
 * Direct requests cost one fork: `_d NONCE SCRIPT`; two with input: `_p NONCE SCRIPT TEXT`, and a dd: `_c NONCE SCRIPT N`.
 * The subshell drops its arguments first, so that no script can print the nonce.
 */
const DIRECT = [
  '_d(){ (_s=$2;set --;eval "$_s")</dev/null 2>&3 3>&-;_E "$1" $?;}',
  '_p(){ printf %s "$3"|(_s=$2;set --;eval "$_s")2>&3 3>&-;_E "$1" $?;}',
  '_c(){ _D $3|(_s=$2;set --;eval "$_s")2>&3 3>&-;_E "$1" $?;}',
].join(';');

/**
 * Isolated requests: `_m` makes the folder once (mkdir fails on anything that is there and the name is random: as safe as
 * mktemp -d, without needing it), `_q NUMBER TEXT` or `_a NUMBER N` stores the input, `_i NONCE NUMBER SCRIPT SET-UP` runs.
 * The script goes by a file rather than by `sh -c`, since arguments are public in the process table and limited in length.
 */
const ISOLATED = [
  '_m(){ for _i in "${TMPDIR:-/tmp}" /var/tmp /dev/shm "$HOME";do if mkdir -m 700 "$_i/.reeve-$_k";then _t=$_i/.reeve-$_k;break;fi;done;_g=;if command -v setsid >/dev/null;then _g=setsid;fi;}',
  '_q(){ if [ "$_t" ];then printf %s "$2">"$_t/$1.i";fi;}',
  '_a(){ if [ "$_t" ];then _D $2 >"$_t/$1.i";else _D $2 >/dev/null;fi;}',
  '_w(){ if [ "$_t" ];then printf %s "$2">"$_t/$1.s";else false;fi;}',
  [
    '_i(){ _o=$_t/$2;_j=/dev/null',
    'if _w "$2" "$3";then if [ -f "$_o.i" ];then _j=$_o.i;fi',
    '{ eval "$4"&&exec $_g $_h "$_o.s";}<"$_j">>"$_o.o" 2>>"$_o.e" 3>&-& _i=$!',
    'printf "%sP%d %s\\n" "$1" $_i "$_o"',
    'wait $_i;_r=$?',
    'if [ -s "$_o.o" ];then cat "$_o.o";fi',
    'if [ -s "$_o.e" ];then cat "$_o.e">&3;fi',
    '_E "$1" $_r;rm -f "$_o.o" "$_o.e" "$_o.s" "$_o.i"',
    'else printf "%sP0 -\\n" "$1";_E "$1" 125;fi;}',
  ].join(';'),
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
    `_t=;_b=;_k=${folder};_h="${shell}"`,
    CONTENT,
    END,
    DIRECT,
    ISOLATED,
    greet,
    LOOP,
  ].join(';');
}
