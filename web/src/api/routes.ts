// The daemon's routes, one function each, typed by the operation that they ask for. docs/api.md says what they do.
import { apiRoot, escapePath, query, request } from './client';
import type * as T from './types';
import type { Answer } from './types';

type Preview = Extract<Answer<'move_job'>, { dry_run: true }>;
type Signal = AbortSignal | undefined;
const post = <R>(path: string, body: unknown = {}, headers?: Record<string, string>) =>
  request<R>(path, { method: 'POST', body, ...(headers ? { headers } : {}) });

export const readSession = (signal?: Signal) => request<Answer<'show_session'>>('/session', { signal });

// The queue
export const readStatus = (signal?: Signal) => request<Answer<'read_status'>>('/status', { signal });
export const readQueue = (offset: number, limit: number, signal?: Signal) =>
  request<Answer<'read_queue'>>('/queue' + query({ offset, limit }), { signal });
export const readBatches = (limit: number, signal?: Signal) => request<Answer<'read_batches'>>('/batches' + query({ limit }), { signal });
export const pauseQueue = () => post<Answer<'pause_queue'>>('/queue/pause');
export const unpauseQueue = () => post<Answer<'unpause_queue'>>('/queue/unpause');
export const clearFinished = (which: T.Clearing) => post<Answer<'clear_queue'>>('/queue/clear', which);
export const readJobTypes = (signal?: Signal) => request<{ job_types: T.JobType[] }>('/job-types', { signal });

// Nodes
const nodePath = (name: string) => `/nodes/${encodeURIComponent(name)}`;
export const readNodes = (signal?: Signal) => request<Answer<'list_nodes'>>('/nodes', { signal });
export const drainNode = (name: string) => post<Answer<'drain_node'>>(`${nodePath(name)}/drain`);
export const resumeNode = (name: string) => post<Answer<'resume_node'>>(`${nodePath(name)}/resume`);
// With `force` also one that may still run something, which is given up.
export const removeNode = (name: string, force: boolean) =>
  request<Answer<'remove_node'>>(nodePath(name) + query({ force: force || undefined }), { method: 'DELETE' });

// Jobs
export interface JobsQuery {
  status?: string | undefined;
  type?: string | undefined;
  name?: string | undefined;
  before?: number | undefined;
  limit?: number | undefined;
}
export const readJobs = (q: JobsQuery, signal?: Signal) => request<Answer<'list_jobs'>>('/jobs' + query({ ...q }), { signal });
export const readJob = (id: number, signal?: Signal) => request<Answer<'show_job'>>(`/jobs/${id}`, { signal });
export const readExplanation = (id: number, signal?: Signal) => request<Answer<'explain_job'>>(`/jobs/${id}/explanation`, { signal });

// A key of its own lets a submit whose answer was lost be sent again without making a second job.
export const submit = (one: T.Submission, key: string) => post<T.Accepted>('/jobs', one, { 'Idempotency-Key': key });
export const submitMany = (jobs: T.Submission[], key: string) =>
  post<{ jobs: T.Accepted[] }>('/jobs', { jobs }, { 'Idempotency-Key': key });
export const forecast = (one: T.Submission, signal?: Signal) =>
  request<T.Forecast>('/jobs', { method: 'POST', body: { ...one, dry_run: true }, signal });

// With `onlyIf` a job that has started in the meantime goes on: a conflict.
export const cancelJob = (id: number, onlyIf?: 'queued') => post<Answer<'cancel_job'>>(`/jobs/${id}/cancel`, onlyIf ? { only_if: onlyIf } : {});
export const holdJob = (id: number) => post<Answer<'hold_job'>>(`/jobs/${id}/hold`);
export const releaseJob = (id: number) => post<Answer<'release_job'>>(`/jobs/${id}/release`);
export const suspendJob = (id: number) => post<Answer<'suspend_job'>>(`/jobs/${id}/suspend`);
export const resumeJob = (id: number) => post<Answer<'resume_job'>>(`/jobs/${id}/resume`);
export const retryJob = (id: number) => post<Answer<'retry_job'>>(`/jobs/${id}/retry`);
export const setPriority = (id: number, priority: number) =>
  request<T.Job>(`/jobs/${id}`, { method: 'PATCH', body: { priority } });

export type Target = number | 'top' | 'bottom';
export const moveJob = (id: number, position: Target) => post<T.Job>(`/jobs/${id}/move`, { position });
export const previewMove = (id: number, position: Target, signal?: Signal) =>
  request<Preview>(`/jobs/${id}/move`, { method: 'POST', body: { position, dry_run: true }, signal });
export const previewPriority = (id: number, priority: number, signal?: Signal) =>
  request<Preview>(`/jobs/${id}`, { method: 'PATCH', body: { priority, dry_run: true }, signal });

// Files of jobs
export const readArtifacts = (id: number, signal?: Signal) => request<Answer<'list_artifacts'>>(`/jobs/${id}/artifacts`, { signal });
export const artifactAddress = (id: number, path: string, download = false) =>
  `${apiRoot}/jobs/${id}/artifacts/${escapePath(path)}${download ? '?download=1' : ''}`;
export const archiveAddress = (id: number) => `${apiRoot}/jobs/${id}/artifacts?archive=tar`;
export const logAddress = (id: number) => `${apiRoot}/jobs/${id}/log`;
export const readMetrics = (id: number, points: number, signal?: Signal) =>
  request<Answer<'read_job_metrics'>>(`/jobs/${id}/metrics` + query({ points }), { signal });

// Analytics
export const readStatistics = (signal?: Signal) => request<Answer<'read_statistics'>>('/statistics', { signal });
export const readStatisticsHistory = (bucket: 'hour' | 'day', buckets: number, signal?: Signal) =>
  request<Answer<'read_statistics_history'>>('/statistics/history' + query({ bucket, buckets, utc_offset_minutes: -new Date().getTimezoneOffset() }), { signal });
export const readFailures = (limit: number, signal?: Signal) =>
  request<Answer<'read_failures'>>('/statistics/failures' + query({ limit }), { signal });

// Inputs and datasets
export const beginUpload = (about: { name: string; bytes: number; dataset?: string; path?: string }) =>
  post<Answer<'begin_upload'>>('/uploads', about);
export const continueUpload = (id: string, offset: number, part: Blob, signal?: Signal) =>
  request<Answer<'continue_upload'>>(`/uploads/${encodeURIComponent(id)}`, {
    method: 'PATCH',
    raw: part,
    headers: { 'Upload-Offset': String(offset), 'Content-Type': 'application/octet-stream' },
    signal,
  });
export const readDatasets = (signal?: Signal) => request<Answer<'list_datasets'>>('/datasets', { signal });
export const createDataset = (name: string) => post<Answer<'add_dataset'>>('/datasets', { name });
export const readDataset = (name: string, offset: number, limit: number, signal?: Signal) =>
  request<Answer<'list_dataset_files'>>(`/datasets/${encodeURIComponent(name)}` + query({ offset, limit }), { signal });
export const deleteDataset = (name: string) =>
  request<Answer<'remove_dataset'>>(`/datasets/${encodeURIComponent(name)}`, { method: 'DELETE' });
export const deleteDatasetFile = (name: string, path: string) =>
  request<Answer<'remove_dataset_file'>>(`/datasets/${encodeURIComponent(name)}/files/${escapePath(path)}`, { method: 'DELETE' });
export const datasetFileAddress = (name: string, path: string) =>
  `${apiRoot}/datasets/${encodeURIComponent(name)}/files/${escapePath(path)}`;
