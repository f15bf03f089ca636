/** A tar archive (POSIX.1-1988 ustar) of small text files; ASCII only, so that it can be written as text. */
export function tarText(files: Record<string, string>): string {
  return `${Object.entries(files)
    .map(([name, content]) => header(name, content.length) + padded(content))
    .join('')}${'\0'.repeat(1024)}`;
}

function padded(content: string): string {
  return content + '\0'.repeat((512 - (content.length % 512)) % 512);
}

function header(name: string, size: number): string {
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;
  const fields = [
    name.padEnd(100, '\0'),
    ...[octal(0o644, 8), octal(0, 8), octal(0, 8), octal(size, 12), octal(0, 12)],
    ...[' '.repeat(8), '0', ''.padEnd(100, '\0'), 'ustar\0', '00'],
  ];
  const text = fields.join('').padEnd(512, '\0');
  // The checksum is taken with its own field full of blanks.
  const sum = [...text].reduce((total, character) => total + character.charCodeAt(0), 0);
  return `${text.slice(0, 148)}${sum.toString(8).padStart(6, '0')}\0 ${text.slice(156)}`;
}
