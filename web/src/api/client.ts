// Requests to the daemon. Every one ends in a value of the answer's type or throws an ApiError, whatever went wrong.
import type { ErrorBody, Problem } from './types';

export const apiRoot = '/api/v1';

// What the page has to tell apart.
export type ErrorKind =
  | 'away' // nobody answers: the daemon is stopped or restarting
  | 'no_access' // neither token nor cookie
  | 'not_available' // this daemon does not have the route (yet)
  | 'refused'; // the daemon answered with a reason

export class ApiError extends Error {
  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    readonly hint = '',
    readonly problems: Problem[] = [],
  ) {
    super(message);
  }
}

export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return new ApiError('refused', 'internal', thrown instanceof Error ? thrown.message : String(thrown));
}

export function isAborted(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'AbortError';
}

interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  body?: unknown; // sent as JSON
  raw?: Blob; // sent as it is
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

// The answer as it comes, for logs and streams; throws for what is not 2xx.
export async function fetchRaw(path: string, call: Call = {}): Promise<Response> {
  const headers: Record<string, string> = { ...call.headers };
  const init: RequestInit = { method: call.method ?? 'GET', headers, signal: call.signal ?? null, cache: 'no-store' };
  if (call.raw) init.body = call.raw;
  else if (call.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(call.body);
  }
  let answer: Response;
  try {
    answer = await fetch(apiRoot + path, init);
  } catch (thrown) {
    if (isAborted(thrown)) throw thrown;
    throw new ApiError('away', 'unavailable', 'The daemon does not answer.');
  }
  if (!answer.ok) throw await errorOf(answer);
  return answer;
}

export async function request<T>(path: string, call: Call = {}): Promise<T> {
  const answer = await fetchRaw(path, call);
  return (await answer.json()) as T;
}

// The error of an answer: the daemon's own words where it has any.
async function errorOf(answer: Response): Promise<ApiError> {
  let body: ErrorBody | undefined;
  try {
    body = ((await answer.json()) as { error?: ErrorBody }).error;
  } catch {
    // no JSON: a proxy, or nobody
  }
  if (answer.status === 401) return new ApiError('no_access', 'unauthorized', body?.message ?? 'This browser has no access.');
  if (answer.status === 501 || (answer.status === 404 && isUnknownRoute(body)))
    return new ApiError('not_available', 'not_available', 'This daemon does not offer that.');
  // A proxy that finds no daemon answers 500, 502 or 504 without the one error form.
  if (!body && answer.status >= 500) return new ApiError('away', 'unavailable', 'The daemon does not answer.');
  if (!body) return new ApiError('refused', 'internal', `The daemon answered with status ${answer.status}.`);
  return new ApiError('refused', body.code, body.message, body.hint ?? '', body.problems ?? []);
}

// A job that does not exist is told by its number; a route that does not exist, by its path.
function isUnknownRoute(body: ErrorBody | undefined): boolean {
  return !body || /no route|no such route|unknown route|no such path|\/api\/v1/.test(body.message);
}

export function query(fields: Record<string, string | number | boolean | undefined | null>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return given.length === 0 ? '' : '?' + given.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&');
}

// A path with its slashes kept and all else escaped.
export function escapePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
