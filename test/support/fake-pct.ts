/**
 * Text of a `pct` for a node that is none: `pct exec` starts its arguments with an empty environment. The containers that
 * `running` names run (a pattern of sh; default 101), 102 is stopped, the others are elsewhere.
 */
export function fakePct(options: { keepEnv: boolean; running?: string }): string {
  return `
if [ "$1" != exec ]; then exit 9; fi
shift; id=$1; shift
if [ "$1" = --keep-env ]; then
  ${options.keepEnv ? 'shift 2' : "echo 'Unknown option: keep-env' >&2; echo '400 unable to parse option' >&2; exit 255"}
fi
if [ "$1" != -- ]; then echo 'no --' >&2; exit 9; fi
shift
case $id in
  ${options.running ?? '101'}) ;;
  102) echo "CT 102 not running" >&2; exit 255;;
  *) echo "Configuration file 'nodes/pve/lxc/$id.conf' does not exist" >&2; exit 2;;
esac
exec env -i CONTAINER=$id HOME=/ PATH=/usr/bin:/bin "$@"
`;
}
