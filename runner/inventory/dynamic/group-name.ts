/** A name that stands for a group everywhere: other characters than letters, digits and `_` become `_`, as in Ansible. */
export function safeGroupName(name: string): string {
  return name.replace(/^[\d\W]|[^\p{L}\p{N}_]/gu, '_');
}

/** Groups and variables under way to Ansible's JSON. */
export class InventoryDraft {
  readonly #groups: Record<string, { hosts: string[]; children: string[] }> = {};
  readonly #hostvars: Record<string, Record<string, unknown>> = {};

  host(name: string, variables: Record<string, unknown>, groups: readonly string[]): void {
    this.#hostvars[name] = variables;
    for (const group of groups) this.group(group).hosts.push(name);
  }

  group(name: string): { hosts: string[]; children: string[] } {
    this.#groups[name] ??= { hosts: [], children: [] };
    return this.#groups[name];
  }

  toJson(): Record<string, unknown> {
    return { ...this.#groups, _meta: { hostvars: this.#hostvars } };
  }
}
