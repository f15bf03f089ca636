/** A command line for a warm program. */
export interface WarmRequest {
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
}

export interface WarmAnswer {
  code: number;
  stdout: string;
  stderr: string;
}

/** A message as bytes: its length, then its JSON. */
export function packed(message: WarmRequest | WarmAnswer): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

/** Takes bytes as they come, and gives the messages that are whole by now. */
export function messages<T>(): (bytes: Buffer) => T[] {
  let held = Buffer.alloc(0);
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    const whole: T[] = [];
    while (held.length >= 4 && held.length >= 4 + held.readUInt32LE()) {
      const end = 4 + held.readUInt32LE();
      whole.push(JSON.parse(held.subarray(4, end).toString()) as T);
      held = held.subarray(end);
    }
    return whole;
  };
}
