import { keyOf, type Resource } from './resources.ts';

export interface Cause {
  reason?: string;
  message: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: Cause[];
  retryAfterSeconds?: number;
}

/** The API's answer to all that fails, and to some that succeeds. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, never>;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
}

/** A refusal that becomes a Status on the wire. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

export function success(details?: StatusDetails): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', ...(details ? { details } : {}) };
}

function about(resource: Resource, name: string): StatusDetails {
  return { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural };
}

// The wording below is apimachinery's (pkg/api/errors/errors.go): clients and people match on it.

export const notFound = (resource: Resource, name: string) =>
  new ApiError(404, 'NotFound', `${keyOf(resource)} "${name}" not found`, about(resource, name));

export const alreadyExists = (resource: Resource, name: string) =>
  new ApiError(409, 'AlreadyExists', `${keyOf(resource)} "${name}" already exists`, about(resource, name));

export const conflict = (resource: Resource, name: string, why: string) =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${keyOf(resource)} "${name}": ${why}`,
    about(resource, name),
  );

export const staleObject = (resource: Resource, name: string) =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message);

export const unauthorized = () => new ApiError(401, 'Unauthorized', 'Unauthorized');

export const forbidden = (resource: Resource, name: string, why: string, causes?: Cause[]) =>
  new ApiError(403, 'Forbidden', `${keyOf(resource)} "${name}" is forbidden: ${why}`, {
    ...about(resource, name),
    ...(causes ? { causes } : {}),
  });

export const methodNotAllowed = () =>
  new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');

export const expired = (message: string) => new ApiError(410, 'Expired', message);

export const unsupportedMediaType = (accepted: string[]) =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

export const tooManyRequests = (message: string, causes: Cause[], retryAfterSeconds = 0) =>
  new ApiError(429, 'TooManyRequests', message, {
    causes,
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });

/** A 422; each cause says field, reason (`FieldValueRequired`, …) and message. */
export const invalid = (resource: Resource, name: string, causes: Required<Cause>[]) => {
  const list = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = list.length === 1 ? list[0]! : `[${list.join(', ')}]`;
  return new ApiError(422, 'Invalid', `${resource.kind}${groupSuffix(resource)} "${name}" is invalid: ${text}`, {
    name,
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.kind,
    causes,
  });
};

function groupSuffix(resource: Resource): string {
  return resource.group === '' ? '' : `.${resource.group}`;
}
