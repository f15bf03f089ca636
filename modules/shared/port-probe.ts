/** Whether a TCP port is open, asked from the target with what it has; and what is connected to a port of its own. */
import { quote } from './quote.ts';

/**
 * A script that prints `open`, `closed`, or `unknown` when the host has nothing to ask with. netcat, then curl, then
 * bash; for a port of the host itself the kernel's own table, which also a bare system has.
 * @param seconds for one try
 */
export function portScript(host: string, port: number, seconds: number): string {
  const local = ['127.0.0.1', 'localhost', '::1'].includes(host);
  const word = quote(host);
  const bracketed = quote(host.includes(':') ? `[${host}]` : host);
  return `
say() { if "$@"; then echo open; else echo closed; fi; }
by_curl() { case $(curl -q -s -o /dev/null -w '%{time_connect}' --connect-timeout ${seconds} --max-time ${seconds} telnet://${bracketed}:${port} </dev/null 2>/dev/null) in *[1-9]*) ;; *) false ;; esac; }
if command -v nc >/dev/null 2>&1 && nc -h 2>&1 | grep -q -e '-z' -e '\\[-[0-9A-Za-z]*z'; then say nc -z -w ${seconds} ${word} ${port} </dev/null 2>/dev/null
elif command -v curl >/dev/null 2>&1; then say by_curl
${local ? `elif [ -r /proc/net/tcp ]; then ${listeningTest(port)}; if [ -n "$listening" ]; then echo open; else echo closed; fi` : ''}
elif command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then say timeout ${seconds} bash -c 'exec 3<>"/dev/tcp/$1/$2"' - ${word} ${port} 2>/dev/null
else echo unknown; fi`;
}

/** In /proc/net/tcp the second column is ADDRESS:PORT in hexadecimal and the fourth the state: 0A listens, 01 is connected. */
function listeningTest(port: number): string {
  return `listening=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -i '^ *[0-9]*: [0-9A-F]*:${hex(port)} [0-9A-F:]* 0A ')`;
}

/** A script that prints how many connections to a port of the host are still there, whatever their state but closed. */
export function connectionsScript(port: number): string {
  return `
[ -r /proc/net/tcp ] || { echo unknown; exit 0; }
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -i '^ *[0-9]*: [0-9A-F]*:${hex(port)} [0-9A-F:]* 0[1-589B] ' | wc -l | tr -d ' '`;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
