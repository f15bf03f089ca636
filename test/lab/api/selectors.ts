import { badRequest } from './api-error.ts';
import type { KubeObject, LabelSelector } from './objects.ts';
import type { Resource } from './resources.ts';

export type Predicate = (object: KubeObject) => boolean;

const REQUIREMENT = /^(?:(!)\s*)?([\w./-]+)(?:\s*(==|!=|=)\s*([\w./-]*)|\s+(in|notin)\s*\(([^)]*)\))?$/;

/** Reads `a=b,c!=d,e in (x,y),f,!g`. @throws ApiError 400 when it does not read */
export function parseLabelSelector(text: string): Predicate {
  const tests = splitOutsideParentheses(text).map((part) => {
    const match = REQUIREMENT.exec(part.trim());
    if (!match) throw badRequest(`unable to parse requirement: found '${part.trim()}'`);
    const [, negated, key = '', operator, value = '', setOperator, list = ''] = match;
    const values = list.split(',').map((item) => item.trim());
    if (negated) return (labels: Record<string, string>) => !(key in labels);
    if (operator === '!=') return (labels: Record<string, string>) => labels[key] !== value;
    if (operator) return (labels: Record<string, string>) => labels[key] === value;
    if (setOperator === 'in') return (labels: Record<string, string>) => values.includes(labels[key] ?? '\0');
    if (setOperator) return (labels: Record<string, string>) => !values.includes(labels[key] ?? '\0');
    return (labels: Record<string, string>) => key in labels;
  });
  return (object) => tests.every((test) => test(object.metadata.labels ?? {}));
}

function splitOutsideParentheses(text: string): string[] {
  return text.trim() === '' ? [] : text.split(/,(?![^(]*\))/);
}

/** The selector inside PodDisruptionBudgets and workloads. An empty one matches everything, none matches nothing. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Record<string, string> = {}): boolean {
  if (!selector) return false;
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return exact && (selector.matchExpressions ?? []).every((expression) => matchesExpression(expression, labels));
}

/** One requirement of a label selector or a node selector term. */
export function matchesExpression(
  { key, operator, values = [] }: { key: string; operator: string; values?: string[] },
  labels: Record<string, string>,
): boolean {
  const value = labels[key];
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  if (operator === 'In') return value !== undefined && values.includes(value);
  if (operator === 'NotIn') return value === undefined || !values.includes(value);
  if (operator === 'Gt') return Number(value) > Number(values[0]);
  return operator === 'Lt' && Number(value) < Number(values[0]);
}

// What the real server can select on besides metadata (pkg/apis/core/v1/conversion.go and friends).
const FIELDS: Record<string, readonly string[]> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'source',
    'type',
  ],
  jobs: ['status.successful'],
};

/** Reads `metadata.name=x,status.phase!=Running`. @throws ApiError 400 for a field that cannot be selected on */
export function parseFieldSelector(text: string, resource: Resource): Predicate {
  const known = ['metadata.name', 'metadata.namespace', ...(FIELDS[resource.plural] ?? [])];
  const tests = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const match = /^\s*([\w.]+)\s*(!=|==|=)\s*(.*)$/.exec(part);
      if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      const [, path = '', operator, value] = match;
      if (!known.includes(path)) throw badRequest(`field label not supported: ${path}`);
      return (object: KubeObject) => (fieldText(object, path) === value) === (operator !== '!=');
    });
  return (object) => tests.every((test) => test(object));
}

function fieldText(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value === undefined || value === null ? (path === 'spec.unschedulable' ? 'false' : '') : String(value);
}
