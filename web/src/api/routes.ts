// The daemon's routes, one function each. docs/api.md says what they do.
import { apiRoot, escapePath, query, request } from './client';
import type * as T from './types';

type Signal = AbortSignal | undefined;
const post = <R>(path: string, body: unknown = {}, headers?: Record<string, string>) =>
  request<R>(path, { method: 'POST', body, ...(headers ? { headers } : {}) });

export const readSession = (signal?: Signal) => request<T.Session>('/session', { signal });

// The queue
export const readStatus = (signal?: Signal) => request<T.Status>('/status', { signal });
export const readQueue = (offset: number, limit: number, signal?: Signal) =>
  request<T.QueuePage>('/queue' + query({ offset, limit }), { signal });
export const readBatches = (limit: number, signal?: Signal) => request<T.Batches>('/batches' + query({ limit }), { signal });
export const pauseQueue = () => post<{ paused: boolean }>('/queue/pause');
export const unpauseQueue = () => post<{ paused: boolean }>('/queue/unpause');
export const clearFinished = (which: T.Clearing) => post<{ cleared: number }>('/queue/clear', which);
export const readJobTypes = (signal?: Signal) => request<{ job_types: T.JobType[] }>('/job-types', { signal });

// Jobs
export interface JobsQuery {
  status?: string | undefined;
  type?: string | undefined;
  name?: string | undefined;
  before?: number | undefined;
  limit?: number | undefined;
}
export const readJobs = (q: JobsQuery, signal?: Signal) => request<T.JobsPage>('/jobs' + query({ ...q }), { signal });
export const readJob = (id: number, signal?: Signal) => request<T.WholeJob>(`/jobs/${id}`, { signal });
export const readExplanation = (id: number, signal?: Signal) => request<T.Explanation>(`/jobs/${id}/explanation`, { signal });

// A key of its own lets a submit whose answer was lost be sent again without making a second job.
export const submit = (one: T.Submission, key: string) => post<T.Accepted>('/jobs', one, { 'Idempotency-Key': key });
export const submitMany = (jobs: T.Submission[], key: string) =>
  post<{ jobs: T.Accepted[] }>('/jobs', { jobs }, { 'Idempotency-Key': key });
export const forecast = (one: T.Submission, signal?: Signal) =>
  request<T.Forecast>('/jobs', { method: 'POST', body: { ...one, dry_run: true }, signal });

// With `onlyIf` a job that has started in the meantime goes on: a conflict.
export const cancelJob = (id: number, onlyIf?: 'queued') => post<T.Job>(`/jobs/${id}/cancel`, onlyIf ? { only_if: onlyIf } : {});
export const holdJob = (id: number) => post<T.Job>(`/jobs/${id}/hold`);
export const releaseJob = (id: number) => post<T.Job>(`/jobs/${id}/release`);
export const suspendJob = (id: number) => post<T.Job>(`/jobs/${id}/suspend`);
export const resumeJob = (id: number) => post<T.Job>(`/jobs/${id}/resume`);
export const retryJob = (id: number) => post<T.Job>(`/jobs/${id}/retry`);
export const setPriority = (id: number, priority: number) =>
  request<T.Job>(`/jobs/${id}`, { method: 'PATCH', body: { priority } });

export type Target = number | 'top' | 'bottom';
export const moveJob = (id: number, position: Target) => post<T.Job>(`/jobs/${id}/move`, { position });
export const previewMove = (id: number, position: Target, signal?: Signal) =>
  request<T.Preview>(`/jobs/${id}/move`, { method: 'POST', body: { position, dry_run: true }, signal });
export const previewPriority = (id: number, priority: number, signal?: Signal) =>
  request<T.Preview>(`/jobs/${id}`, { method: 'PATCH', body: { priority, dry_run: true }, signal });

// Files of jobs
export const readArtifacts = (id: number, signal?: Signal) => request<T.Artifacts>(`/jobs/${id}/artifacts`, { signal });
export const artifactAddress = (id: number, path: string, download = false) =>
  `${apiRoot}/jobs/${id}/artifacts/${escapePath(path)}${download ? '?download=1' : ''}`;
export const archiveAddress = (id: number) => `${apiRoot}/jobs/${id}/artifacts?archive=tar`;
export const logAddress = (id: number) => `${apiRoot}/jobs/${id}/log`;
export const readMetrics = (id: number, points: number, signal?: Signal) =>
  request<{ series: T.Series[] }>(`/jobs/${id}/metrics` + query({ points }), { signal });

// Analytics
export const readStatistics = (signal?: Signal) => request<T.Statistics>('/statistics', { signal });
export const readStatisticsHistory = (bucket: 'hour' | 'day', buckets: number, signal?: Signal) =>
  request<T.StatisticsHistory>('/statistics/history' + query({ bucket, buckets, utc_offset_minutes: -new Date().getTimezoneOffset() }), { signal });
export const readFailures = (limit: number, signal?: Signal) =>
  request<{ failures: T.FailureReason[] }>('/statistics/failures' + query({ limit }), { signal });

// Inputs and datasets
export const beginUpload = (about: { name: string; bytes: number; dataset?: string; path?: string }) =>
  post<{ upload: string; offset: number }>('/uploads', about);
export const continueUpload = (id: string, offset: number, part: Blob, signal?: Signal) =>
  request<{ offset: number; path?: string }>(`/uploads/${encodeURIComponent(id)}`, {
    method: 'PATCH',
    raw: part,
    headers: { 'Upload-Offset': String(offset), 'Content-Type': 'application/octet-stream' },
    signal,
  });
export const readDatasets = (signal?: Signal) => request<{ datasets: T.Dataset[] }>('/datasets', { signal });
export const createDataset = (name: string) => post<unknown>('/datasets', { name });
export const readDataset = (name: string, offset: number, limit: number, signal?: Signal) =>
  request<T.DatasetFiles>(`/datasets/${encodeURIComponent(name)}` + query({ offset, limit }), { signal });
export const deleteDataset = (name: string) =>
  request<unknown>(`/datasets/${encodeURIComponent(name)}`, { method: 'DELETE' });
export const deleteDatasetFile = (name: string, path: string) =>
  request<unknown>(`/datasets/${encodeURIComponent(name)}/files/${escapePath(path)}`, { method: 'DELETE' });
export const datasetFileAddress = (name: string, path: string) =>
  `${apiRoot}/datasets/${encodeURIComponent(name)}/files/${escapePath(path)}`;
