// Made from http/openapi.json by `npm run types`: a change here is lost, and web.api_types fails. The page's names for these are
// in types.ts.

export type Json = null | boolean | number | string | Json[] | {
    [key: string]: Json;
};
export interface components {
    schemas: {
        /** @description Jobs by state; those that have ended are counted also when they were cleared. */
        AllCounts: components["schemas"]["QueueCounts"] & {
            completed: number;
            failed: number;
            cancelled: number;
        };
        Artifact: {
            /** @description Relative to the job's directory; of a job in parts it begins with the batch. */
            path: string;
            /** @description The run that it is of. */
            batch: number;
            bytes: number;
            /** Format: date-time */
            modified: string;
            media_type: string;
        };
        ArtifactList: {
            artifacts: components["schemas"]["Artifact"][];
            /** @description False: there are more than 10,000, or folders deeper than 32. */
            is_whole: boolean;
        };
        Batches: {
            running: components["schemas"]["PlannedBatch"][];
            /** @description In the order they start. */
            next: components["schemas"]["PlannedBatch"][];
            /** @description False: there are more than was asked for. */
            is_whole: boolean;
        };
        Cancel: {
            /**
             * @description What runs by now goes on: a conflict.
             * @enum {string|null}
             */
            only_if?: "queued" | null;
        };
        /** @description Which finished jobs; all where nothing is given. */
        Clear: {
            /** @description In these states; none named: in any. */
            status?: ("completed" | "failed" | "cancelled")[];
            /** @description Only jobs of these types. */
            types?: string[];
            /** @description Exactly these, and nothing else is given. All must have finished, or nothing is cleared. */
            ids?: number[];
            /** @description Only those that ended at least so long ago. */
            older_than_seconds?: number | null;
        };
        Cleared: {
            /** @description Jobs. */
            cleared: number;
        };
        Dataset: {
            name: string;
            files: number;
            bytes: number;
            /**
             * Format: date-time
             * @description Of the newest file.
             */
            modified: string;
            /** @description An absolute path on the daemon's machine. */
            path: string;
            /** @description False: there are more files than the 100,000 that are looked at, or deeper folders than 16. */
            is_whole: boolean;
        };
        DatasetFileRemoved: {
            /** @description Of the dataset. */
            name: string;
            /** @description Within it. */
            path: string;
            /** @constant */
            removed: true;
        };
        DatasetFiles: {
            name: string;
            /** @description An absolute path on the daemon's machine. */
            path: string;
            /** @description By path. */
            files: {
                /** @description Within the dataset. */
                path: string;
                bytes: number;
                media_type: string;
            }[];
            /** @description Files in all. */
            total: number;
            /** @description As in the list of datasets. */
            is_whole: boolean;
        };
        DatasetList: {
            /** @description By name. */
            datasets: components["schemas"]["Dataset"][];
        };
        DatasetMade: {
            name: string;
            /** @description An absolute path on the daemon's machine. */
            path: string;
        };
        DatasetRemoved: {
            name: string;
            /** @constant */
            removed: true;
        };
        Device: {
            /** @description cpu, or NVML's UUID; of a node's device the node's name stands before it: worker1:cpu. */
            id: string;
            /** @enum {string} */
            kind: "cpu" | "gpu";
            name: string;
            /** @description What jobs may ask for: node, and those of the configuration. */
            labels: components["schemas"]["Labels"];
            slots: number;
            slots_used: number;
            /** @description Why nothing is started on it. */
            out_of_service: string | null;
            /** @description What leases may share. */
            memory_mib: number;
            /** @description What jobs and warm workers have reserved. */
            memory_leased_mib: number;
            /** @description Withheld from jobs: what other programs hold beyond devices.gpu.memory_reserve_mib, in steps of 64 MiB. */
            memory_taken_mib: number;
            /** @description Programs that stay, with their model loaded. */
            workers: {
                id: number;
                /** @description Of its jobs; empty: no longer configured. */
                type: string;
                /** @enum {string} */
                state: "idle" | "busy" | "ending";
                /** @description That it works on. */
                batch: number | null;
                memory_mib: number;
                /**
                 * Format: date-time
                 * @description When it ends unless it gets work.
                 */
                idle_until: string | null;
            }[];
            /** @description In use, by whomever, as the device tells. */
            memory_used_mib: number | null;
            /** @description Of that, what programs hold that are not ferry's. null: the driver does not tell of each process, or one cannot be seen. */
            memory_foreign_mib: number | null;
            utilization_percent: number | null;
            temperature_c: number | null;
        };
        /** @description The form of every error. */
        Error: {
            error: components["schemas"]["ErrorBody"];
        };
        ErrorBody: {
            /**
             * @description What programs look at; it also says the HTTP status.
             * @enum {string}
             */
            code: "invalid_argument" | "unauthorized" | "forbidden" | "not_found" | "conflict" | "too_large" | "internal" | "io" | "damaged" | "locked" | "newer_version" | "out_of_memory" | "unavailable" | "disk_full";
            /** @description One sentence for people. */
            message: string;
            /** @description What to do about it; may be empty. */
            hint: string;
            /** @description Each fault of the request by itself, at most 100; mostly empty. */
            problems: components["schemas"]["Problem"][];
        };
        /** @description Why a job waits. */
        Explanation: {
            id: number;
            status: components["schemas"]["JobStatus"];
            position: number | null;
            waiting_for: string | null;
            /** Format: date-time */
            expected_start: string | null;
            /** Format: date-time */
            expected_start_p90: string | null;
            /**
             * Format: date-time
             * @description Of a running job.
             */
            expected_end: string | null;
            /** @description What was first said. */
            promised: {
                /** Format: date-time */
                made: string;
                /** Format: date-time */
                start: string;
                /** Format: date-time */
                start_p90: string;
            } | null;
            /** @description Why jobs of other users that came later stand before it. */
            fair_share: string | null;
            devices: {
                device: string;
                /** @description What it lacks, in words. */
                why: string;
                /**
                 * Format: date-time
                 * @description When that is expected to be over.
                 */
                until: string | null;
                /** @description That have to end, or to start, before. */
                jobs: number[];
            }[];
            /** @description Whom it is to start with. */
            planned: components["schemas"]["PlannedBatch"] | null;
        };
        /** @description Why a job failed or was cancelled. */
        Failure: {
            /** @enum {string} */
            kind: "exit_status" | "signal" | "oom" | "timeout" | "input" | "launch" | "lost" | "reported" | "transient" | "device" | "metric" | "needs";
            /** @description One sentence. */
            message: string;
            exit_status: number | null;
            /** @description Its number. */
            signal: number | null;
        };
        FailureStatistics: {
            failures: {
                type: string;
                /** @enum {string} */
                kind: "exit_status" | "signal" | "oom" | "timeout" | "input" | "launch" | "lost" | "reported" | "transient" | "device" | "metric" | "needs";
                /** @description Of the newest. */
                message: string;
                jobs: number;
                /** Format: date-time */
                last: string;
            }[];
        };
        /** @description A group that has jobs or settings. */
        Group: {
            name: string;
            queued: number;
            running: number;
            /** @description Jobs at once; 0: no limit. */
            parallel: number;
            /** @description Whether none of its jobs is started. */
            paused: boolean;
        };
        /** @description What is not given, or null, stays. */
        GroupChange: {
            /** @description Jobs of it that run at once; 0: no limit. */
            parallel?: number | null;
            paused?: boolean | null;
        };
        GroupList: {
            /** @description By name; at most 1,000. */
            groups: components["schemas"]["Group"][];
        };
        /** @description The first of each stream. */
        HelloEvent: {
            version: string;
            /** Format: date-time */
            started: string;
            /** @description Nothing lies between it and the event that was named. */
            resumed: boolean;
        };
        History: {
            /** @description Oldest first. */
            history: components["schemas"]["HistoryEntry"][];
        };
        HistoryEntry: {
            /** Format: date-time */
            at: string;
            /** @enum {string} */
            what: "job_queued" | "job_edited" | "job_held" | "job_released" | "job_reordered" | "batch_started" | "attempt_resumed" | "run_started" | "run_loaded" | "checkpoint_saved" | "run_warned" | "start_promised" | "attempt_ended" | "batch_requeued" | "job_finished" | "job_retried" | "jobs_cleared";
            /** @description What belongs to it. */
            detail: {
                [key: string]: Json;
            };
        };
        /** @description Of a job that has more items than may run together, so that it runs in parts. */
        Items: {
            done: number;
            running: number;
            total: number;
        };
        /** @description A job as lists have it. A field that is not known, or does not apply, is null. */
        Job: {
            id: number;
            /** @description The name of its job type. */
            type: string;
            /** @description For people; may be empty. */
            name: string;
            status: components["schemas"]["JobStatus"];
            priority: components["schemas"]["Priority"];
            /** @description Set where a queued job counts more than its priority, because it has waited. */
            effective_priority: number | null;
            held: boolean;
            /** @description Why it is held, where no user wished it: suspended, a quarantine, a job that it needs and that failed. */
            held_for: string | null;
            /**
             * Format: date-time
             * @description When a delayed job, or a retry, may start.
             */
            not_before: string | null;
            /** @description 1: next. Of queued jobs that may start. */
            position: number | null;
            /** @description In words, why a queued job is not running, or one that is starting waits. */
            waiting_for: string | null;
            /**
             * @description Of a running job.
             * @enum {string|null}
             */
            phase: "starting" | "running" | "stopping" | "ending" | null;
            /**
             * Format: date-time
             * @description Of a queued job, as foreseen now.
             */
            expected_start: string | null;
            /**
             * Format: date-time
             * @description Nine of ten such jobs start by then.
             */
            expected_start_p90: string | null;
            /**
             * Format: date-time
             * @description Of a running job.
             */
            expected_end: string | null;
            progress: components["schemas"]["Progress"];
            /** Format: date-time */
            created: string;
            /**
             * Format: date-time
             * @description Of the latest attempt.
             */
            started: string | null;
            /** Format: date-time */
            finished: string | null;
            /**
             * Format: date-time
             * @description Since when it is off the lists.
             */
            cleared: string | null;
            /** @description Started so far. */
            attempts: number;
            /** @description Of its attempts, those that the retry policy asked for. */
            retries: number;
            /** @description The job whose checkpoint it began with. */
            resumed_from: number | null;
            /** @description Jobs that it waits for. */
            needs: number[];
            on_needs_failure: components["schemas"]["NeedsRule"] | null;
            group: string | null;
            unique_key: string | null;
            /** @description Whose it is; null: from before there were users. */
            user: string | null;
            /** @description The devices that it may run on; null: any. */
            on: components["schemas"]["Labels"] | null;
            items: components["schemas"]["Items"] | null;
            /** @description The latest run of it. */
            batch: number | null;
            device: string | null;
            /** @description Of the latest attempt, so far or in all. */
            run_seconds: number | null;
            failure: components["schemas"]["Failure"] | null;
        };
        /** @description At most 16, named [a-z][a-z0-9_-]*. */
        Labels: {
            [key: string]: string;
        };
        /** @description What is not given, or null, stays. */
        JobChange: {
            priority?: number | null;
            /** @description At most 200 bytes. */
            name?: string | null;
            /** @description Replaces the parameters that it names; null removes one. */
            params?: {
                [key: string]: Json;
            };
            /** @description An absolute path, for relative paths in params. */
            base_dir?: string | null;
            /** @description Goes with priority alone: nothing is changed, and the answer is a Preview. */
            dry_run?: boolean | null;
        };
        /** @description What a job is now; changes within 100 ms are one event. */
        JobEvent: {
            id: number;
            type: string;
            name: string;
            status: components["schemas"]["JobStatus"];
            /** @enum {string|null} */
            phase: "starting" | "running" | "stopping" | "ending" | null;
            held: boolean;
            user: string | null;
            batch: number | null;
            device: string | null;
        };
        JobPage: {
            /** @description Newest first; may be fewer than asked for, even none, while others follow. */
            jobs: components["schemas"]["Job"][];
            /** @description What to ask for next as before; null: this is the last page. */
            next_before: number | null;
        };
        /** @enum {string} */
        JobStatus: "queued" | "running" | "completed" | "failed" | "cancelled";
        JobType: {
            name: string;
            description: string;
            /** @enum {string} */
            device: "gpu" | "cpu" | "auto";
            slots: number;
            memory_mib: number;
            /** @description A higher one goes first, and may preempt. */
            tier: number;
            preemptible: boolean;
            max_run_seconds: number | null;
            /** @description Why none of its jobs is started; an empty text: a user wished it. */
            held_for: string | null;
            /** @description JSON Schema (draft 7) of its parameters. Of each object with properties, x-order names these in the order in which they are written, for forms. */
            parameters: {
                [key: string]: Json;
            };
        };
        JobTypeList: {
            job_types: components["schemas"]["JobType"][];
        };
        /** @description A job and what happened to it. */
        JobWithHistory: components["schemas"]["WholeJob"] & {
            /** @description Oldest first. */
            history: components["schemas"]["HistoryEntry"][];
        };
        /** @description Bytes of the log of a run, as UTF-8; those that are not are replaced. Another batch is another attempt, whose log begins anew. */
        LogEvent: {
            batch: number;
            offset: number;
            next: number;
            text: string;
        };
        /** @description Of the latest attempt. */
        Metrics: {
            series: {
                name: string;
                /** @description Each is [step, value, seconds since the start]; what is not known, or not finite, is null. */
                points: [
                    number | null,
                    number | null,
                    number | null
                ][];
            }[];
            /** @description False: not all was read, or there are more than 64 names. */
            is_whole: boolean;
        };
        Move: {
            /** @description A place in the queue, within the job's own effective priority. */
            position: number | ("top" | "bottom");
            /** @description Nothing is changed: the answer is a Preview. */
            dry_run?: boolean | null;
        };
        /**
         * @description What becomes of a job when one that it needs does not complete: it is held, it is cancelled, or it starts once all have ended.
         * @enum {string}
         */
        NeedsRule: "hold" | "cancel" | "start";
        NewDataset: {
            /** @description 1–255 bytes, no '/', no dot in front. */
            name: string;
        };
        NewToken: {
            /** @description Jobs that are submitted with it are of the user of that name. 1–100 bytes, no '/'. */
            name: string;
            role: components["schemas"]["Role"];
        };
        /** @description What is going to be sent. With dataset it becomes a file of that dataset, which is made where there is none. */
        NewUpload: {
            /** @description Of the file: 1–255 bytes, no '/', no dot in front. */
            name: string;
            /** @description At most uploads.max_file_mib (20 GiB). */
            bytes: number;
            /** @description Checked once all is there. */
            sha256?: string | null;
            dataset?: string | null;
            /** @description Within the dataset, at most 16 names; without it, the name. */
            path?: string | null;
        };
        /** @description A machine that lends its devices. */
        Node: {
            name: string;
            /** @description Of its ferry. */
            version: string;
            /** @description Where it says that it is, for people. */
            address: string;
            connected: boolean;
            /** @description Whether nothing new is started there, by a user's wish. */
            drained: boolean;
            /** @description Why nothing is started there. */
            trouble: string | null;
            /**
             * Format: date-time
             * @description When it was heard of last. null: not since the daemon started.
             */
            heard: string | null;
            /**
             * Format: date-time
             * @description Until when it may run what it was given, should it not be heard of again. null: it may run nothing.
             */
            lease_ends: string | null;
            devices: {
                /** @description As on the node itself. In other answers the node's name stands before it: worker1:cpu. */
                id: string;
                /** @enum {string} */
                kind: "cpu" | "gpu";
                name: string;
                labels: components["schemas"]["Labels"];
                slots: number;
                /** @description What leases may share. */
                memory_mib: number;
            }[];
            /** @description The batches that it was given and whose end is not known. */
            runs: number[];
        };
        NodeDrained: {
            name: string;
            drained: boolean;
        };
        NodeList: {
            /** @description By name. */
            nodes: components["schemas"]["Node"][];
        };
        NodeRemoved: {
            name: string;
            /** @constant */
            removed: true;
        };
        /** @description What a job would get that was submitted now. */
        Outlook: {
            /** @constant */
            dry_run: true;
            position: number | null;
            /** Format: date-time */
            expected_start: string | null;
            /** Format: date-time */
            expected_start_p90: string | null;
            /** @description Alone, on a warm worker; null: nothing was measured. */
            expected_seconds: number | null;
        };
        Paused: {
            /** @description Whether nothing new is started. */
            paused: boolean;
        };
        Place: {
            position: number | null;
            /** Format: date-time */
            start: string | null;
        };
        /** @description Jobs that run together (started), or would (the fields behind it). */
        PlannedBatch: {
            /** @description Null: it is not made yet. */
            batch: number | null;
            type: string;
            device: string;
            jobs: number[];
            /** @description A worker is started for it. */
            loads_model: boolean;
            /** Format: date-time */
            expected_end: string | null;
            /**
             * Format: date-time
             * @description Of one that runs.
             */
            started?: string;
            /** Format: date-time */
            expected_start?: string | null;
            /**
             * Format: date-time
             * @description Nine of ten start by then.
             */
            expected_start_p90?: string | null;
            /** @description Its work in all; null: nothing was measured yet. */
            together_seconds?: number | null;
            /** @description That of its jobs one by one on a warm worker. */
            one_by_one_seconds?: number | null;
            saved_share?: number | null;
        };
        /** @description All jobs that would start at another place or time. */
        Preview: {
            /** @constant */
            dry_run: true;
            changes: {
                job: number;
                before: components["schemas"]["Place"];
                after: components["schemas"]["Place"];
            }[];
        };
        /** @description Larger comes first. */
        Priority: number;
        Problem: {
            /** @description A JSON pointer into the request, such as /jobs/3/params/scale. */
            where: string;
            what: string;
            /** @description May be empty. */
            hint: string;
        };
        /** @description How far a job is. */
        Progress: {
            /** @description Of a job that runs in parts, of the whole job. */
            fraction: number | null;
            step: number | null;
            /** @description Steps in all. */
            total: number | null;
            /** @description The job's own words; may be empty. */
            message: string;
            /** @description At most 16 numbers of the job's own; what is not finite is a text: nan, inf or -inf. */
            metrics: {
                [key: string]: number | string;
            };
        };
        /** @description At most two a second and job. */
        ProgressEvent: {
            id: number;
            progress: components["schemas"]["Progress"];
        };
        PromisedStarts: {
            from_seconds: number;
            /** @description Null: no bound. */
            to_seconds: number | null;
            starts: number;
            /** @description Of these starts. */
            within_20_percent: number;
            /** @description Of these starts. */
            at_most_p90: number;
            mean_error_seconds: number | null;
            mean_promised_seconds: number | null;
            mean_waited_seconds: number | null;
        };
        /** @description Jobs by state. queued: that may start; held: the others that wait, be it that they are held, delayed, or need others first. */
        QueueCounts: {
            queued: number;
            held: number;
            running: number;
        };
        /** @description The order or the counts have changed; at most four a second. */
        QueueEvent: {
            paused: boolean;
            counts: components["schemas"]["AllCounts"];
        };
        QueuePage: {
            paused: boolean;
            /** @description Where to go on; a page may hold fewer jobs than its limit, even none, before that. null: the queue ends here. */
            next_offset: number | null;
            counts: components["schemas"]["QueueCounts"];
            /** @description Running ones first, then queued ones in order, held ones last. */
            jobs: components["schemas"]["Job"][];
        };
        QueueResumed: {
            /** @constant */
            paused: false;
            /** @description Jobs that were suspended. */
            released: number;
        };
        QueueSuspended: {
            /** @constant */
            paused: true;
            /** @description Jobs that ran. */
            suspended: number;
        };
        /** @description What a job gave: its artifacts (at most 1,000) and whatever it said itself, at most 256 KiB as JSON; of a job in parts, their results. */
        Result: {
            artifacts?: components["schemas"]["ResultFiles"];
            parts?: {
                batch: number;
                first_item: number;
                items: number;
                /** @description What that part gave. */
                result: Json;
            }[];
        } & {
            [key: string]: Json;
        };
        ResultFiles: {
            /** @description Relative to the job's directory. */
            path: string;
            bytes: number;
        }[];
        Resume: {
            /** @description A new job with its type and parameters continues its work. */
            as_new?: boolean | null;
        };
        /** @description Something was missed: read everything again. */
        ResyncEvent: {
            reason: string;
        };
        Retry: {
            /** @description Its checkpoints do not count any more. */
            from_scratch?: boolean | null;
        };
        /**
         * @description Each may do what the one before may.
         * @enum {string}
         */
        Role: "read" | "submit" | "admin";
        /** @description Who asks. */
        Session: {
            user: string;
            role: components["schemas"]["Role"];
            /** @description Of the daemon. */
            version: string;
        };
        Statistics: {
            /** @description By job type; those of which anything was measured. */
            types: {
                [key: string]: components["schemas"]["TypeStatistics"];
            };
            /** @description By how long a wait was promised. */
            promised_starts: components["schemas"]["PromisedStarts"][];
            /** @description By name. */
            users: components["schemas"]["UserStatistics"][];
        };
        /** @description Buckets without any job are left out. */
        StatisticsHistory: {
            /** @enum {string} */
            bucket: "hour" | "day";
            /** Format: date-time */
            from: string;
            rows: {
                /** Format: date-time */
                start: string;
                type: string;
                submitted: number;
                /** @description For the first and only time. */
                started: number;
                /** @description That ended in it, as the next two. */
                completed: number;
                failed: number;
                cancelled: number;
                /** @description From submit to start, of those that started. */
                wait_p50_seconds: number | null;
                wait_p90_seconds: number | null;
                /** @description Of the last attempts of those that ended. */
                device_seconds: number;
            }[];
            /** @description False: there were more jobs than the newest 100,000, which are counted. */
            is_whole: boolean;
        };
        Status: {
            version: string;
            pid: number;
            /** Format: date-time */
            started: string;
            uptime_seconds: number;
            paused: boolean;
            data_dir: string;
            counts: components["schemas"]["AllCounts"];
            /** @description Job types of which nothing is started, and why. */
            held_types: {
                [key: string]: string;
            };
            devices: components["schemas"]["Device"][];
            http: {
                /** @description Where TCP is listened on, such as 127.0.0.1:7878. */
                address: string | null;
                /** @description How links to it begin: https://localhost:7878. */
                url: string | null;
                token_file: string;
            };
            /** @description What the daemon has to say about its machine. */
            notes: string[];
        };
        /** @description One job. A field that is null counts as not given. */
        Submission: {
            /** @description The name of a job type. */
            type: string;
            /** @description At most 256 KiB as JSON and 32 levels deep; checked by the schema of the job type. */
            params?: {
                [key: string]: Json;
            } | null;
            /**
             * @description Larger comes first.
             * @default 50
             */
            priority?: number | null;
            /** @description At most 200 bytes. */
            name?: string | null;
            held?: boolean | null;
            /** @description It does not start before. */
            delay_seconds?: number | null;
            /** @description An absolute path, or empty: where relative paths in parameters of format job-result begin. */
            base_dir?: string | null;
            /** @description Jobs that exist; it starts once they have completed. */
            needs?: number[] | null;
            /**
             * @description hold where it is not given.
             * @enum {string|null}
             */
            on_needs_failure?: "hold" | "cancel" | "start" | null;
            /** @description At most 100 bytes, no '/'. */
            group?: string | null;
            /** @description While a job with it is queued or running, the answer is that job. At most 200 bytes. */
            unique_key?: string | null;
            /** @description It runs only on devices that have all of these: gpu (part of a GPU's name, or its id), node, device (its id), or a label of the configuration. */
            on?: components["schemas"]["Labels"] | null;
            /** @description Whose it is, by default who asks; only the role admin may name another. 1–100 bytes, no '/'. */
            user?: string | null;
            /** @description Nothing is stored: the answer is what it would get. */
            dry_run?: boolean | null;
        };
        /** @description A job among others. */
        SubmissionInList: {
            /** @description The name of a job type. */
            type: string;
            /** @description At most 256 KiB as JSON and 32 levels deep; checked by the schema of the job type. */
            params?: {
                [key: string]: Json;
            } | null;
            /**
             * @description Larger comes first.
             * @default 50
             */
            priority?: number | null;
            /** @description At most 200 bytes. */
            name?: string | null;
            held?: boolean | null;
            /** @description It does not start before. */
            delay_seconds?: number | null;
            /** @description An absolute path, or empty: where relative paths in parameters of format job-result begin. */
            base_dir?: string | null;
            /** @description Jobs that exist; it starts once they have completed. */
            needs?: number[] | null;
            /**
             * @description hold where it is not given.
             * @enum {string|null}
             */
            on_needs_failure?: "hold" | "cancel" | "start" | null;
            /** @description At most 100 bytes, no '/'. */
            group?: string | null;
            /** @description While a job with it is queued or running, the answer is that job. At most 200 bytes. */
            unique_key?: string | null;
            /** @description It runs only on devices that have all of these: gpu (part of a GPU's name, or its id), node, device (its id), or a label of the configuration. */
            on?: components["schemas"]["Labels"] | null;
            /** @description Whose it is, by default who asks; only the role admin may name another. 1–100 bytes, no '/'. */
            user?: string | null;
        };
        /** @description Many jobs, all or none. */
        SubmissionList: {
            jobs: components["schemas"]["SubmissionInList"][];
            /** @description For those that name none. */
            base_dir?: string | null;
        };
        Submitted: {
            id: number;
            /** @description 1: next; null: it may not start yet, or is no longer queued. */
            position: number | null;
            /** @description Why it has no position, where that is not because it was to be held. */
            waiting_for?: string;
            /**
             * @description It was there before, with the same unique_key.
             * @constant
             */
            existing?: true;
        };
        SubmittedList: {
            /** @description In the order of the request. */
            jobs: components["schemas"]["Submitted"][];
        };
        /** @description A token as it is listed: the token itself is told only once. */
        Token: {
            name: string;
            role: components["schemas"]["Role"];
            /** Format: date-time */
            created: string;
        };
        TokenList: {
            /** @description At most 100, oldest first; that of the daemon's owner is not among them. */
            tokens: components["schemas"]["Token"][];
        };
        TokenMade: {
            name: string;
            role: components["schemas"]["Role"];
            /** @description 256 random bits; told this once. */
            token: string;
        };
        TokenRemoved: {
            name: string;
            /** @constant */
            removed: true;
        };
        TypeHeld: {
            name: string;
            held: boolean;
        };
        TypeHold: {
            /** @description At most 200 bytes. */
            reason?: string | null;
        };
        TypeStatistics: {
            jobs: number;
            batches: number;
            /** @description Of its model. */
            loads: number;
            worked_seconds: number;
            loading_seconds: number;
            warmth: {
                jobs: number;
                saved_seconds: number;
            };
            batching: {
                jobs: number;
                one_by_one_seconds: number;
                took_seconds: number;
                /** @description Less than 0: it cost time. */
                saved_seconds: number;
            };
            estimates: {
                jobs: number;
                mean_relative_error: number | null;
                /** @description Of these jobs. */
                within_20_percent: number;
                /** @description Of these jobs. */
                at_most_p90: number;
            };
        };
        UploadBegun: {
            /** @description Its id. */
            upload: string;
            /** @description Bytes that are there. */
            offset: number;
        };
        /** @description The error, and where the upload is, if that was it. */
        UploadConflict: {
            error: components["schemas"]["ErrorBody"];
            offset?: number;
        };
        UploadRemoved: {
            /** @description Its id. */
            upload: string;
            /** @constant */
            removed: true;
        };
        UploadState: {
            /** @description Bytes that are there: where to go on. */
            offset: number;
            /** @description In all. */
            bytes: number;
            /** @description Once it is whole: its absolute path, to be used as a parameter. */
            path?: string;
            /** @description Once it is whole. */
            sha256?: string;
        };
        /** @description What a user used within queue.fair_share.window. */
        UserStatistics: {
            /** @description Null: of jobs that name nobody. */
            name: string | null;
            weight: number;
            /** @description Of what all used. */
            share: number;
            /** @description Half of a device's slots for an hour are half an hour. */
            device_seconds: number;
            queued: number;
            running: number;
            completed: number;
        };
        /** @description A job, whole. */
        WholeJob: components["schemas"]["Job"] & {
            /** @description Of its latest run: an absolute path on the daemon's machine. */
            directory: string | null;
            /** @description At most 256 KiB as JSON. */
            params: {
                [key: string]: Json;
            };
            result: components["schemas"]["Result"] | null;
        };
    };
    responses: never;
    parameters: {
        /** @description The id of a job. */
        JobId: number;
        /** @description The name of a token. */
        TokenName: string;
        /** @description The name of a group: 1–100 bytes, no '/'. */
        GroupName: string;
        /** @description The name of a node. */
        NodeName: string;
        /** @description The name of a job type. */
        JobTypeName: string;
        /** @description The name of a dataset. */
        DatasetName: string;
        /** @description The id of an upload. */
        UploadId: string;
        /** @description The path of a file; its slashes stay as they are. */
        FilePath: string;
        /** @description Rows that are left out at the beginning. */
        Offset: number;
        /** @description Rows of the answer. */
        Limit: number;
        /** @description Seconds that the answer may take; without it there is no waiting. */
        Wait: number;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export interface operations {
    show_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    list_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenList"];
                };
            };
        };
    };
    add_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewToken"];
            };
        };
        responses: {
            /** @description The only time that the token is told. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenMade"];
                };
            };
        };
    };
    remove_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a token. */
                name: components["parameters"]["TokenName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenRemoved"];
                };
            };
        };
    };
    follow_events: {
        parameters: {
            query?: {
                /** @description Only events of this job; none of the queue. */
                job?: number;
                /** @description 1, with job: also what its log gets. */
                log?: 0 | 1;
                /** @description With log: from this byte on; negative: from the end. */
                log_offset?: number;
                /** @description Go on behind this event. */
                last_event_id?: string;
            };
            header?: {
                /** @description As last_event_id, and counts more. */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events. A comment is sent every 15 seconds; the id of each event says where to go on, also in a log. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    list_jobs: {
        parameters: {
            query?: {
                /** @description Any of these, with commas. */
                status?: components["schemas"]["JobStatus"][];
                /** @description A job type. */
                type?: string;
                /** @description A part of the name; A–Z and a–z are the same. */
                name?: string;
                /** @description Only smaller ids. */
                before?: number;
                /** @description Rows of the answer. */
                limit?: components["parameters"]["Limit"];
                /** @description Whether also those that were cleared. */
                cleared?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
        };
    };
    submit_jobs: {
        parameters: {
            query?: never;
            header?: {
                /** @description A repeated request with it is answered with the jobs of the first; with another body it is a conflict. At most 200 bytes. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Submission"] | components["schemas"]["SubmissionList"];
            };
        };
        responses: {
            /** @description No job was made: a repeated request, jobs that were there already (unique_key), or a dry run. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submitted"] | components["schemas"]["SubmittedList"] | components["schemas"]["Outlook"];
                };
            };
            /** @description Queued, and on disk. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submitted"] | components["schemas"]["SubmittedList"];
                };
            };
        };
    };
    show_job: {
        parameters: {
            query?: {
                /** @description Seconds that the answer may take; without it there is no waiting. */
                wait?: components["parameters"]["Wait"];
            };
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobWithHistory"];
                };
            };
        };
    };
    edit_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobChange"];
            };
        };
        responses: {
            /** @description The job as it is now, or what would change. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"] | components["schemas"]["Preview"];
                };
            };
        };
    };
    cancel_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Cancel"];
            };
        };
        responses: {
            /** @description The job as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"];
                };
            };
        };
    };
    hold_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"];
                };
            };
        };
    };
    release_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"];
                };
            };
        };
    };
    move_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Move"];
            };
        };
        responses: {
            /** @description The job as it is now, or what would change. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"] | components["schemas"]["Preview"];
                };
            };
        };
    };
    retry_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Retry"];
            };
        };
        responses: {
            /** @description The job as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"];
                };
            };
        };
    };
    suspend_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"];
                };
            };
        };
    };
    resume_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Resume"];
            };
        };
        responses: {
            /** @description The job as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"];
                };
            };
            /** @description With as_new: the new job. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submitted"];
                };
            };
        };
    };
    read_job_history: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
        };
    };
    explain_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explanation"];
                };
            };
        };
    };
    read_job_log: {
        parameters: {
            query?: {
                /** @description Of the first byte; negative: from the end. */
                offset?: number;
                /** @description Bytes. */
                limit?: number;
                /** @description Seconds that the answer may take; without it there is no waiting. */
                wait?: components["parameters"]["Wait"];
                /** @description Of this attempt; without it, of the latest. */
                attempt?: number;
            };
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Bytes as the job wrote them. */
            200: {
                headers: {
                    /** @description Of the first byte. */
                    "Ferry-Log-Offset"?: number;
                    /** @description The offset to ask for next. */
                    "Ferry-Log-Next"?: number;
                    /** @description Present once the job has ended and all is read. */
                    "Ferry-Log-Complete"?: "true";
                    /** @description Which attempt's log it is. */
                    "Ferry-Log-Attempt"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
        };
    };
    list_artifacts: {
        parameters: {
            query?: {
                /** @description All of them as one tar stream. */
                archive?: "tar";
            };
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Those in its directory, also while it runs; with archive, all of them as one file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactList"];
                    "application/x-tar": unknown;
                };
            };
        };
    };
    read_artifact: {
        parameters: {
            query?: {
                /** @description 1: as an attachment, whatever it is. */
                download?: 0 | 1;
            };
            header?: {
                /** @description An ETag: Range counts only where the file is still that one. */
                "If-Range"?: string;
                /** @description bytes=from-to: a part of it; several are answered with the whole file. */
                Range?: string;
                /** @description An ETag: answered with 304 where the file is still that one. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
                /** @description The path of a file; its slashes stay as they are. */
                path: components["parameters"]["FilePath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. Pictures, videos, JSON and plain texts come with their own media type; all else is application/octet-stream, as an attachment. */
            200: {
                headers: {
                    /** @description Of its bytes. */
                    ETag?: string;
                    /** @description bytes */
                    "Accept-Ranges"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description The bytes that Range asks for. */
            206: {
                headers: {
                    /** @description Which of how many. */
                    "Content-Range"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description It is what If-None-Match names. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    read_job_metrics: {
        parameters: {
            query?: {
                /** @description At most so many of each series: they are thinned evenly. */
                points?: number;
            };
            header?: never;
            path: {
                /** @description The id of a job. */
                id: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metrics"];
                };
            };
        };
    };
    begin_upload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUpload"];
            };
        };
        responses: {
            /** @description OK */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadBegun"];
                };
            };
        };
    };
    show_upload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an upload. */
                id: components["parameters"]["UploadId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadState"];
                };
            };
        };
    };
    remove_upload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an upload. */
                id: components["parameters"]["UploadId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadRemoved"];
                };
            };
        };
    };
    continue_upload: {
        parameters: {
            query?: never;
            header: {
                /** @description Where the bytes belong: as many as are there. */
                "Upload-Offset": number;
            };
            path: {
                /** @description The id of an upload. */
                id: components["parameters"]["UploadId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadState"];
                };
            };
        };
    };
    list_datasets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetList"];
                };
            };
        };
    };
    add_dataset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewDataset"];
            };
        };
        responses: {
            /** @description OK */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetMade"];
                };
            };
        };
    };
    list_dataset_files: {
        parameters: {
            query?: {
                /** @description Rows that are left out at the beginning. */
                offset?: components["parameters"]["Offset"];
                /** @description Rows of the answer. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The name of a dataset. */
                name: components["parameters"]["DatasetName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetFiles"];
                };
            };
        };
    };
    remove_dataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a dataset. */
                name: components["parameters"]["DatasetName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetRemoved"];
                };
            };
        };
    };
    read_dataset_file: {
        parameters: {
            query?: never;
            header?: {
                /** @description An ETag: Range counts only where the file is still that one. */
                "If-Range"?: string;
                /** @description bytes=from-to: a part of it; several are answered with the whole file. */
                Range?: string;
                /** @description An ETag: answered with 304 where the file is still that one. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The name of a dataset. */
                name: components["parameters"]["DatasetName"];
                /** @description The path of a file; its slashes stay as they are. */
                path: components["parameters"]["FilePath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. Pictures, videos, JSON and plain texts come with their own media type; all else is application/octet-stream, as an attachment. */
            200: {
                headers: {
                    /** @description Of its bytes. */
                    ETag?: string;
                    /** @description bytes */
                    "Accept-Ranges"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description The bytes that Range asks for. */
            206: {
                headers: {
                    /** @description Which of how many. */
                    "Content-Range"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description It is what If-None-Match names. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    remove_dataset_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a dataset. */
                name: components["parameters"]["DatasetName"];
                /** @description The path of a file; its slashes stay as they are. */
                path: components["parameters"]["FilePath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetFileRemoved"];
                };
            };
        };
    };
    read_queue: {
        parameters: {
            query?: {
                /** @description Rows that are left out at the beginning. */
                offset?: components["parameters"]["Offset"];
                /** @description Rows of the answer. */
                limit?: components["parameters"]["Limit"];
                /** @description Of this job type. */
                type?: string;
                /** @description Of this user. */
                user?: string;
                /** @description A part of the name; A–Z and a–z are the same. */
                name?: string;
                /** @description In this state. */
                status?: "queued" | "running";
                /** @description Queued ones that are neither held nor delayed, nor wait for jobs that they need; or those that are. */
                may_start?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuePage"];
                };
            };
        };
    };
    pause_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Paused"];
                };
            };
        };
    };
    unpause_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Paused"];
                };
            };
        };
    };
    suspend_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueSuspended"];
                };
            };
        };
    };
    resume_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueResumed"];
                };
            };
        };
    };
    clear_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Clear"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cleared"];
                };
            };
        };
    };
    read_batches: {
        parameters: {
            query?: {
                /** @description Batches that would be made of what waits now. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batches"];
                };
            };
        };
    };
    list_groups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupList"];
                };
            };
        };
    };
    change_group: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a group: 1–100 bytes, no '/'. */
                name: components["parameters"]["GroupName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
        };
    };
    list_nodes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeList"];
                };
            };
        };
    };
    remove_node: {
        parameters: {
            query?: {
                /** @description Also while it may still run something, which is given up: whoever says so knows that the machine is off. */
                force?: "true" | "false";
            };
            header?: never;
            path: {
                /** @description The name of a node. */
                name: components["parameters"]["NodeName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeRemoved"];
                };
            };
        };
    };
    drain_node: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a node. */
                name: components["parameters"]["NodeName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeDrained"];
                };
            };
        };
    };
    resume_node: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a node. */
                name: components["parameters"]["NodeName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeDrained"];
                };
            };
        };
    };
    list_job_types: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobTypeList"];
                };
            };
        };
    };
    hold_job_type: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a job type. */
                name: components["parameters"]["JobTypeName"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TypeHold"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TypeHeld"];
                };
            };
        };
    };
    release_job_type: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a job type. */
                name: components["parameters"]["JobTypeName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TypeHeld"];
                };
            };
        };
    };
    read_statistics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statistics"];
                };
            };
        };
    };
    read_statistics_history: {
        parameters: {
            query?: {
                /** @description How long each is. */
                bucket?: "hour" | "day";
                /** @description How many, the current one being the last: 48 hours or 30 days where it is not given. */
                buckets?: number;
                /** @description Where days begin: minutes east of UTC. */
                utc_offset_minutes?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatisticsHistory"];
                };
            };
        };
    };
    read_failures: {
        parameters: {
            query?: {
                /** @description Reasons. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FailureStatistics"];
                };
            };
        };
    };
    read_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    read_openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    check_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    check_readiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    read_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus' text format. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
}
