import { closeSync, type FSWatcher, openSync, readSync, watch } from 'node:fs';

/**
 * Calls `onLine` with the tab-separated words of every line the stand-ins append to a file, at once (inotify; a 25 ms poll
 * where the system grants no watch). Returns a function that ends it after one last look.
 */
export function watchEvents(file: string, onLine: (words: string[]) => void): () => void {
  const fd = openSync(file, 'a+');
  const buffer = Buffer.alloc(65536);
  let position = 0;
  let rest = '';
  const look = () => {
    for (;;) {
      const size = readSync(fd, buffer, 0, buffer.length, position);
      if (size === 0) return;
      position += size;
      const lines = (rest + buffer.toString('utf8', 0, size)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line.split('\t'));
    }
  };
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  const poll = () => {
    timer ??= setInterval(look, 25);
  };
  try {
    watcher = watch(file, look);
    watcher.on('error', poll);
  } catch {
    poll();
  }
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    watcher?.close();
    clearInterval(timer);
    look();
    closeSync(fd);
  };
}
