// SPDX-License-Identifier: Apache-2.0
/** What can go wrong on the way to the server, as things that pages can tell apart. */

/** The words behind `urn:lazaret:problem:`, and those that the browser adds. */
export type ProblemKind =
  | 'bad-request'
  | 'not-signed-in'
  | 'wrong-password'
  | 'second-factor'
  | 'sign-on-refused'
  | 'must-change-password'
  | 'must-enrol-second-factor'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'conflict'
  | 'stale'
  | 'too-large'
  | 'unsupported-media-type'
  | 'invalid'
  | 'precondition-required'
  | 'too-many-requests'
  | 'internal'
  | 'unavailable'
  | 'unknown';

interface Told {
  kind: ProblemKind;
  title: string;
  detail: string;
}

const PREFIX = 'urn:lazaret:problem:';

/** What a server's answer says about itself; never throws. */
export async function problemOf(response: Response): Promise<Told> {
  try {
    const said = (await response.json()) as Record<string, unknown>;
    const type = typeof said.type === 'string' ? said.type : '';
    return {
      kind: type.startsWith(PREFIX) ? (type.slice(PREFIX.length) as ProblemKind) : 'unknown',
      title: typeof said.title === 'string' ? said.title : response.statusText,
      detail: typeof said.detail === 'string' ? said.detail : '',
    };
  } catch {
    // Not JSON: a proxy's page, or an answer that broke off.
    return { kind: 'unknown', title: response.statusText || `HTTP ${response.status}`, detail: '' };
  }
}

/** The server said no. `detail` names the thing, the cause and the way out. */
export class ApiError extends Error {
  readonly status: number;
  readonly kind: ProblemKind;
  readonly title: string;
  readonly detail: string;
  /** Seconds to wait before another try, where the server says so. */
  readonly retryAfter: number | null;

  constructor(status: number, told: Told, retryAfter: number | null = null) {
    super(told.detail || told.title);
    this.name = 'ApiError';
    this.status = status;
    this.kind = told.kind;
    this.title = told.title;
    this.detail = told.detail;
    this.retryAfter = retryAfter;
  }

  static async from(response: Response): Promise<ApiError> {
    const wait = Number(response.headers.get('Retry-After'));
    const told = await problemOf(response);
    return new ApiError(response.status, told, Number.isFinite(wait) && wait > 0 ? wait : null);
  }
}

/** The server was not reached at all. */
export class OfflineError extends Error {
  constructor(cause?: unknown) {
    super('the server cannot be reached', { cause });
    this.name = 'OfflineError';
  }
}

export function isKind(error: unknown, ...kinds: ProblemKind[]): boolean {
  return error instanceof ApiError && kinds.includes(error.kind);
}

/** Whether it may go better in a moment by itself. */
export function mayPass(error: unknown): boolean {
  return error instanceof OfflineError || isKind(error, 'unavailable', 'too-many-requests');
}
