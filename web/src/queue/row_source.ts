// Where the rows of the table come from: the queue itself, the queue filtered, or what has ended. The table asks for
// rows by index and says which are in sight; the source reads them and keeps those fresh.
import type { ApiError } from '@/api/client';
import type { Job } from '@/api/types';

export interface RowSource {
  readonly total: number;
  readonly loaded: boolean; // false until the first answer
  readonly error: ApiError | null;
  at(index: number): Job | undefined; // undefined: not read yet
  show(first: number, end: number): void;
  refresh(): void;
  close(): void;
  readAll(): Promise<Job[]>;
}
