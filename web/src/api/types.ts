// The page's names for what the daemon sends and takes. schema.ts, made from the daemon's own document, says what is in them;
// here stands only what has no name there, and the one form that the document leaves open: the schema of a job type.
import type { components, Json, operations } from './schema';

type Named = components['schemas'];
export type { Json };
export type Time = string; // RFC 3339 in UTC
export type Params = { [key: string]: Json };

// What an operation answers when it went well, by its operationId.
export type Answer<Id extends keyof operations> = JsonOf<operations[Id]['responses'][keyof operations[Id]['responses']]>;
type JsonOf<Response> = Response extends { content: { 'application/json': infer Body } } ? Body : never;

export type Session = Named['Session'];
export type ErrorBody = Named['ErrorBody'];
export type Problem = Named['Problem'];
export type Progress = Named['Progress'];
export type Items = Named['Items'];
export type JobStatus = Named['JobStatus'];
export type Job = Named['Job'];
export type WholeJob = Named['JobWithHistory'];
export type HistoryEntry = Named['HistoryEntry'];
export type QueueCounts = Named['QueueCounts'];
export type AllCounts = Named['AllCounts'];
export type Clearing = Named['Clear'];
export type FinishedStatus = NonNullable<Clearing['status']>[number];
export type Change = Named['Preview']['changes'][number];
export type PlannedBatch = Named['PlannedBatch'];
export type Batches = Named['Batches'];
export type Device = Named['Device'];
export type Node = Named['Node'];
export type Submission = Named['SubmissionInList'];
export type Accepted = Named['Submitted'];
export type Forecast = Named['Outlook'];
export type Artifact = Named['Artifact'];
export type Series = Named['Metrics']['series'][number];
export type TypeStatistics = Named['TypeStatistics'];
export type Statistics = Named['Statistics'];
export type StatisticsHistory = Named['StatisticsHistory'];
export type BucketRow = StatisticsHistory['rows'][number];
export type JobType = Omit<Named['JobType'], 'parameters'> & { parameters: Schema };

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
  'x-order'?: string[]; // the names of the properties, first to last
  if?: Schema;
  then?: Schema;
  else?: Schema;
}

// Server-sent events, by their name.
export interface Events {
  hello: Named['HelloEvent'];
  queue: Named['QueueEvent'];
  job: Named['JobEvent'];
  progress: Named['ProgressEvent'];
  log: Named['LogEvent'];
  resync: Named['ResyncEvent'];
}
export type EventName = keyof Events;
