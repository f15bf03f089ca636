import type { Reference } from '../../language/types.ts';

/** Names that some playbooks use, to find variables that nothing uses. */
export class Mentions {
  readonly names = new Set<string>();
  /** False when a name may be made at run time, so that nothing can be said of what is not mentioned. */
  isComplete = true;

  add({ path }: Reference): void {
    const [root, first, second] = path as [string, string?, string?];
    this.names.add(root);
    // `vars.NAME` and `hosts.HOST.NAME` name variables too; what stands in brackets is not known.
    if (root === 'vars') this.#member(first);
    if (root === 'hosts' && path.length > 0) this.#member(second);
  }

  #member(name: string | undefined): void {
    if (name === undefined) this.isComplete = false;
    else this.names.add(name);
  }
}
