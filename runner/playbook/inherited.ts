import { checkReserved, compileValue, constant } from './compile.ts';
import { inside, type ParseContext, placeOf, type Spot } from './context.ts';
import type { Entries } from './entries.ts';
import type { Inherited, StepBase } from './model.ts';

/** What a play, block or task says that everything inside it inherits. */
export function parseInherited(entries: Entries): Inherited {
  const ignoreErrors = entries.conditionOrFlag('ignore_errors');
  return withoutUndefined({
    vars: entries.vars(),
    tags: entries.strings('tags'),
    environment: entries.template('environment'),
    become: entries.template('become'),
    becomeUser: entries.template('become_user'),
    becomeMethod: entries.template('become_method'),
    ignoreErrors: Array.isArray(ignoreErrors) ? ignoreErrors[0] : ignoreErrors,
    noLog: entries.literal<boolean>('no_log'),
    checkMode: entries.literal<boolean>('check_mode'),
    diff: entries.literal<boolean>('diff'),
    throttle: entries.literal<number>('throttle'),
    timeout: entries.duration('timeout'),
    delegateTo: entries.template('delegate_to'),
    runOnce: entries.literal<boolean>('run_once'),
  }) as Inherited;
}

/** What tasks, blocks and includes have in common. */
export function parseStepBase(context: ParseContext, entries: Entries, id: string, defaultName: string): StepBase {
  return withoutUndefined({
    ...parseInherited(entries),
    id,
    name: entries.template('name') ?? constant(defaultName),
    place: entries.spot.document.place(entries.spot.path),
    when: entries.conditions('when') ?? [],
    loop: entries.loop(),
    loopControl: parseLoopControl(context, entries),
    until: entries.conditions('until'),
    retries: entries.template('retries'),
    delay: entries.template('delay'),
    backoff: entries.literal<number>('backoff'),
    notify: entries.templates('notify'),
  }) as StepBase;
}

interface LoopControlText {
  loop_var?: string;
  index_var?: string;
  label?: string;
  pause?: string | number;
}

function parseLoopControl(context: ParseContext, entries: Entries): StepBase['loopControl'] {
  const written = entries.literal<LoopControlText>('loop_control');
  if (!written) return undefined;
  const spot = entries.at('loop_control');
  if (!entries.has('loop')) {
    context.error('loop-control-alone', '`loop_control` needs a `loop`', spot.document.place(spot.path, 'key'));
  }
  const at = (name: string): Spot => inside(spot, name);
  checkReserved(context, written.loop_var, placeOf(at('loop_var')));
  checkReserved(context, written.index_var, placeOf(at('index_var')));
  return withoutUndefined({
    item: written.loop_var,
    index: written.index_var,
    label: written.label === undefined ? undefined : compileValue(context, written.label, at('label')),
    pause: written.pause === undefined ? undefined : entries.parsedDuration(written.pause, at('pause')),
  }) as StepBase['loopControl'];
}

/** Optional members are absent rather than undefined (exactOptionalPropertyTypes). */
export function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
