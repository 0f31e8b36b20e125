// What the daemon sends and takes, as docs/api.md says it. Written by hand; nothing else in web/ declares wire types.
// Times are RFC 3339 texts in UTC; null: not known.

export type Time = string;
export type JobStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Params = { [key: string]: Json };

export interface Session {
  user: string | null;
  role: 'read' | 'submit' | 'admin';
  version: string;
}

export interface Problem {
  where: string; // a JSON pointer into the parameters, such as "/weights/vis"
  what: string;
  hint: string;
}
export interface ErrorBody {
  code: string;
  message: string;
  hint?: string;
  problems?: Problem[];
}

export interface Progress {
  fraction: number | null;
  step: number | null;
  total: number | null;
  message: string;
  metrics?: Record<string, number | string>; // "nan", "inf" and "-inf" are texts
}

export interface Failure {
  kind: string;
  message: string;
  exit_status: number | null;
  signal: number | null;
}

export interface Items {
  done: number;
  running: number;
  total: number;
}

// A job as lists have it.
export interface Job {
  id: number;
  type: string;
  name: string;
  status: JobStatus;
  priority: number;
  effective_priority: number | null;
  held: boolean;
  held_for: string | null;
  not_before: Time | null;
  position: number | null;
  waiting_for: string | null;
  phase: 'starting' | 'loading' | 'running' | 'stopping' | null;
  progress: Progress;
  created: Time;
  started: Time | null;
  finished: Time | null;
  cleared: Time | null;
  expected_start: Time | null;
  expected_start_p90: Time | null;
  expected_end: Time | null;
  run_seconds: number | null;
  attempts: number;
  retries: number;
  batch: number | null;
  device: string | null;
  needs: number[];
  on_needs_failure: 'hold' | 'cancel' | 'start' | null;
  resumed_from: number | null;
  group: string | null;
  unique_key: string | null;
  user: string | null;
  items: Items | null; // of a job that runs in parts
  failure: Failure | null;
}

export interface HistoryEntry {
  at: Time;
  what: string;
  detail: { [key: string]: Json };
}

export interface WholeJob extends Job {
  params: Params;
  result: Json;
  directory: string | null;
  history: HistoryEntry[];
}

export interface QueueCounts {
  queued: number;
  held: number;
  running: number;
}
export interface AllCounts extends QueueCounts {
  completed: number;
  failed: number;
  cancelled: number;
}
export interface QueuePage {
  paused: boolean;
  counts: QueueCounts;
  jobs: Job[];
}
// Which finished jobs leave the lists.
export interface Clearing {
  status: JobStatus[];
  types?: string[];
  older_than_seconds?: number;
}
export interface JobsPage {
  jobs: Job[];
  next_before: number | null;
}

export interface Place {
  position: number | null;
  start: Time | null;
}
export interface Change {
  job: number;
  before: Place;
  after: Place;
}
export interface Preview {
  dry_run: true;
  changes: Change[];
}

export interface PlannedBatch {
  batch: number | null;
  type: string;
  device: string;
  jobs: number[];
  loads_model: boolean;
  started?: Time;
  expected_end: Time | null;
  expected_start?: Time | null;
  expected_start_p90?: Time | null;
  together_seconds?: number | null;
  one_by_one_seconds?: number | null;
  saved_share?: number | null;
}
export interface Batches {
  running: PlannedBatch[];
  next: PlannedBatch[];
  is_whole: boolean;
}

export interface Explanation {
  id: number;
  status: JobStatus;
  position: number | null;
  waiting_for: string | null;
  expected_start: Time | null;
  expected_start_p90: Time | null;
  promised: { made: Time; start: Time; start_p90: Time } | null;
  fair_share: string | null;
  devices: { device: string; why: string; until: Time | null; jobs: number[] }[];
  planned: PlannedBatch | null;
}

export interface Worker {
  id: number;
  type: string;
  state: 'idle' | 'busy' | 'ending';
  batch: number | null;
  memory_mib: number | null;
  idle_until: Time | null;
}
export interface Device {
  id: string;
  kind: string;
  name: string;
  slots: number;
  slots_used: number;
  out_of_service: string | null;
  memory_mib: number;
  memory_leased_mib: number;
  memory_used_mib: number | null;
  memory_foreign_mib?: number | null;
  utilization_percent: number | null;
  temperature_c: number | null;
  workers: Worker[];
}
export interface Status {
  version: string;
  pid: number;
  started: Time;
  uptime_seconds: number;
  paused: boolean;
  data_dir: string;
  counts: AllCounts;
  held_types: Record<string, string>;
  devices: Device[];
  notes: string[];
}

// The part of JSON Schema (draft 7) that job types use.
export interface Schema {
  type?: string | string[];
  description?: string;
  title?: string;
  default?: Json;
  enum?: Json[];
  const?: Json;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  properties?: Record<string, Schema>;
  required?: string[];
  if?: Schema;
  then?: Schema;
  else?: Schema;
}
export interface JobType {
  name: string;
  description: string;
  device: string;
  slots: number;
  memory_mib: number;
  tier: number;
  preemptible: boolean;
  max_run_seconds: number | null;
  held_for: string | null;
  parameters: Schema | null;
}

export interface Submission {
  type: string;
  params?: Params;
  priority?: number;
  name?: string;
  held?: boolean;
  delay_seconds?: number;
  needs?: number[];
  on_needs_failure?: 'hold' | 'cancel' | 'start';
  group?: string;
}
export interface Accepted {
  id: number;
  position: number | null;
  waiting_for?: string;
}
export interface Forecast {
  dry_run: true;
  position: number | null;
  expected_start: Time | null;
  expected_start_p90: Time | null;
  expected_seconds: number | null;
}

export interface Artifact {
  path: string;
  bytes: number;
  modified: Time;
  media_type: string;
}
export interface Artifacts {
  artifacts: Artifact[];
  is_whole: boolean;
}
export interface Series {
  name: string;
  points: [number, number | null, number][]; // step, value, seconds since the start
}

export interface TypeStatistics {
  jobs: number;
  batches: number;
  loads: number;
  worked_seconds: number;
  loading_seconds: number;
  warmth: { jobs: number; saved_seconds: number };
  batching: { jobs: number; one_by_one_seconds: number; took_seconds: number; saved_seconds: number };
  estimates: { jobs: number; mean_relative_error: number | null; within_20_percent: number; at_most_p90: number };
}
export interface Statistics {
  types: Record<string, TypeStatistics>;
  promised_starts: {
    from_seconds: number;
    to_seconds: number | null;
    starts: number;
    within_20_percent: number;
    at_most_p90: number;
    mean_error_seconds: number | null;
    mean_promised_seconds: number | null;
    mean_waited_seconds: number | null;
  }[];
  users: {
    name: string | null;
    weight: number;
    share: number;
    device_seconds: number;
    completed: number;
    queued: number;
    running: number;
  }[];
}
export interface BucketRow {
  start: Time;
  type: string;
  submitted: number;
  started: number;
  completed: number;
  failed: number;
  cancelled: number;
  wait_p50_seconds: number | null;
  wait_p90_seconds: number | null;
  device_seconds: number;
}
export interface StatisticsHistory {
  bucket: 'hour' | 'day';
  from: Time;
  rows: BucketRow[];
  is_whole: boolean; // false: older jobs are not counted
}
export interface FailureReason {
  type: string;
  kind: string;
  message: string;
  jobs: number;
  last: Time;
}

export interface Dataset {
  name: string;
  files: number;
  bytes: number;
  modified: Time;
  path: string;
}
export interface DatasetFile {
  path: string;
  bytes: number;
  media_type: string;
}
export interface DatasetFiles {
  name: string;
  path: string;
  files: DatasetFile[];
  total: number;
}

// Server-sent events, by their name.
export interface Events {
  hello: { version: string; started: Time; resumed: boolean };
  queue: { paused: boolean; counts: AllCounts };
  job: Pick<Job, 'id' | 'type' | 'name' | 'status' | 'phase' | 'held' | 'user' | 'batch' | 'device'>;
  progress: { id: number; progress: Progress };
  log: { offset: number; next: number; text: string };
  resync: { reason: string };
}
export type EventName = keyof Events;
