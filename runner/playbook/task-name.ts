import { Raw } from '../load/document.ts';
import type { AnyModule } from '../module.ts';
import type { Task } from './model.ts';

/** Longer texts are cut: this is a name. */
const MOST = 60;
const MESSAGES: ReadonlySet<string> = new Set(['msg', 'message']);

/**
 * What a task without a name is called: its module and the argument that tells most, as it is written in the playbook:
 * `command uname -r`, `copy /etc/motd`. Templates stay unrendered, so that the name is the same on every host.
 */
export function describeTask(task: Task, module: AnyModule): string {
  // What such a task says is its message already.
  if (module.shorthand !== undefined && MESSAGES.has(module.shorthand)) return module.name;
  const { value } = task.argsAt;
  const written = value instanceof Raw ? value.text : value;
  const telling = isMapping(written) ? tellingArgument(written, module) : written;
  const text = textOf(telling);
  return text === '' ? module.name : `${module.name} ${text}`;
}

/** The shorthand's argument, else the first required one, else the first that is there; never one that holds a secret. */
function tellingArgument(args: Record<string, unknown>, module: AnyModule): unknown {
  const properties = (module.args.properties ?? {}) as Record<string, { writeOnly?: boolean }>;
  const order = [module.shorthand, ...((module.args.required ?? []) as string[]), ...Object.keys(properties)];
  const name = order.find(
    (one) => one !== undefined && properties[one]?.writeOnly !== true && textOf(args[one]) !== '',
  );
  return name === undefined ? undefined : args[name];
}

function textOf(value: unknown): string {
  const plain = value instanceof Raw ? value.text : value;
  const isList = Array.isArray(plain) && plain.every((item) => typeof item === 'string' || typeof item === 'number');
  const text = isList ? plain.join(' ') : typeof plain === 'string' || typeof plain === 'number' ? String(plain) : '';
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > MOST ? `${line.slice(0, MOST - 1)}…` : line;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Raw);
}
