import type { HistoryEntry, Json } from '@/api/types';
import { namedIn, newestFirst, showingOf } from '@/job/files';
import { findInLog, LogText } from '@/job/log_text';
import { added, drawn, pointsOf, thinned } from '@/job/metric_points';
import { historyWords } from '@/job/history_words';
import { partsOf, partWords } from '@/job/parts';
import { phasesOf } from '@/job/phases';

describe('a log', () => {
  it('is lines, wherever its pieces are cut', () => {
    const log = new LogText();
    log.push('one\ntw');
    log.push('o\nthree');
    expect(log.all()).toEqual(['one', 'two', 'three']);
  });
  it('shows a progress bar as it stands last, without colours', () => {
    const log = new LogText();
    log.push('\x1b[32mstart\x1b[0m\n 10%\r 20%');
    expect(log.all()).toEqual(['start', ' 20%']);
    log.push('\r100%\r\ndone\n');
    expect(log.all()).toEqual(['start', '100%', 'done']);
  });
  it('keeps only so many lines', () => {
    const log = new LogText(3);
    log.push('1\n2\n3\n4\n5\n');
    expect(log.all()).toEqual(['3', '4', '5']);
  });
  it('is searched whatever the case', () => {
    const { found, total } = findInLog(['Loss=1', 'step', 'the loss=2'], 'LOSS', 1);
    expect(total).toBe(2);
    expect(found).toEqual([{ number: 1, before: '', match: 'Loss', after: '=1' }]);
  });
});

describe('metrics', () => {
  it('are drawn over what is known of them', () => {
    expect(drawn([[1, 4, null], [null, 3, 5], [2, null, 6]], 'steps')).toEqual({ x: [1, 2], y: [4, null] });
    expect(drawn([[1, 4, null], [null, 3, 5], [2, null, 6]], 'time')).toEqual({ x: [5, 6], y: [3, null] });
  });
  const progress = (step: number | null, metrics: Record<string, number | string>) => ({ fraction: null, step, total: null, message: '', metrics });
  it('are points by step; what is no number is a gap', () => {
    expect(pointsOf(progress(3, { loss: 'nan', rate: 0.5 }), 9)).toEqual([
      { name: 'loss', point: [3, null, 9] },
      { name: 'rate', point: [3, 0.5, 9] },
    ]);
    expect(pointsOf(progress(null, { loss: 1 }), 9)).toEqual([]);
  });
  it('are added once, and begin anew where an attempt goes back', () => {
    const first = added([], pointsOf(progress(1, { loss: 4 }), 1), 100);
    const second = added(first, pointsOf(progress(2, { loss: 3 }), 2), 100);
    expect(added(second, pointsOf(progress(2, { loss: 3 }), 2), 100)[0]?.points).toHaveLength(2);
    expect(added(second, pointsOf(progress(1, { loss: 5 }), 8), 100)[0]?.points).toEqual([[1, 5, 8]]);
  });
  it('are thinned evenly and keep the newest', () => {
    expect(thinned([[1, 1, 1], [2, 2, 2], [3, 3, 3], [4, 4, 4]]).map((point) => point[0])).toEqual([2, 4]);
  });
});

describe('the phases of a job', () => {
  const at = (second: number) => new Date(second * 1_000).toISOString();
  it('follow its history through two attempts', () => {
    const phases = phasesOf(
      [
        { at: at(0), what: 'job_queued', detail: { held: false } },
        { at: at(10), what: 'batch_started', detail: { attempt: 1, device: 'cpu' } },
        { at: at(12), what: 'run_started', detail: {} },
        { at: at(20), what: 'attempt_ended', detail: { how: 'retried' } },
        { at: at(25), what: 'batch_started', detail: { attempt: 2 } },
        { at: at(26), what: 'run_started', detail: {} },
        { at: at(30), what: 'job_finished', detail: { state: 'completed' } },
      ],
      99_000,
    );
    expect(phases.map((phase) => [phase.kind, phase.attempt, (phase.to - phase.from) / 1_000])).toEqual([
      ['queued', 0, 10],
      ['starting', 1, 2],
      ['running', 1, 8],
      ['queued', 1, 5],
      ['starting', 2, 1],
      ['running', 2, 4],
    ]);
  });
  it('tell loading from work, where a worker says when it has loaded', () => {
    const phases = phasesOf(
      [
        { at: at(0), what: 'job_queued', detail: {} },
        { at: at(1), what: 'batch_started', detail: { attempt: 1, batch: 7 } },
        { at: at(2), what: 'run_started', detail: { pid: 5 } },
        { at: at(9), what: 'run_loaded', detail: {} },
        { at: at(12), what: 'job_finished', detail: { state: 'completed' } },
      ],
      99_000,
    );
    expect(phases.map((phase) => [phase.kind, (phase.to - phase.from) / 1_000])).toEqual([['queued', 1], ['starting', 1], ['loading', 7], ['running', 3]]);
  });
  it('go on until now while the job does', () => {
    const [only] = phasesOf([{ at: at(0), what: 'job_queued', detail: { held: true } }], 5_000);
    expect(only).toEqual({ kind: 'held', from: 0, to: 5_000, attempt: 0, open: true });
  });
});

describe('files', () => {
  const file = (path: string, media_type: string, second: number) => ({ path, batch: 1, media_type, bytes: 1, modified: new Date(second * 1_000).toISOString() });
  it('are shown where a browser shows them safely', () => {
    expect(['image/png', 'video/mp4', 'image/svg+xml', 'text/html'].map((media_type) => showingOf({ path: 'x', media_type }))).toEqual(['picture', 'video', 'none', 'none']);
  });
  it('stand newest first', () => {
    expect(newestFirst([file('a', '', 1), file('b', '', 3), file('s-2', '', 2), file('s-10', '', 2)]).map((one) => one.path)).toEqual(['b', 's-10', 's-2', 'a']);
  });
  it('are named by a result too', () => {
    expect(namedIn({ artifacts: [{ path: 'x.png', bytes: 3 }, 'odd'] })).toEqual([{ path: 'x.png', bytes: 3 }]);
    expect(namedIn(null)).toEqual([]);
  });
});

describe('the history in words', () => {
  // A newer daemon may know of more than the types do.
  const words = (what: HistoryEntry['what'] | (string & {}), detail: { [key: string]: Json } = {}) =>
    historyWords({ at: '2026-01-31T12:00:00.000Z', what: what as HistoryEntry['what'], detail });
  it('is that of `ferry show`', () => {
    expect(words('job_queued', { held: true })).toBe('queued');
    expect(words('job_held', { reason: 'its type is in quarantine' })).toBe('held: its type is in quarantine');
    expect(words('run_started', { warm: true })).toBe('handed to a warm worker');
    expect(words('batch_started', { attempt: 2, batch: 7, device: 'cpu' })).toBe('attempt 2 starts on cpu, batch 7');
    const part = { attempt: 1, batch: 7, device: 'cpu', first_item: 8, items: 8, of: 20 };
    expect(words('batch_started', part)).toBe('attempt 1 starts on cpu, batch 7: items 9 to 16 of 20');
    expect(words('attempt_resumed', { step: 40, path: 'c.pt' })).toBe('continues at step 40: c.pt');
    expect(words('job_retried', { from_scratch: true })).toBe('queued again, from scratch');
    expect(words('run_warned', { why: 'no step for 5 m', action: 'retry' })).toBe('no step for 5 m (retry)');
    expect(words('job_finished', { state: 'failed', failure: { message: 'ended with status 1' } })).toBe('failed: ended with status 1');
    expect(words('something_new')).toBe('something new');
  });
  it('says how an attempt ended', () => {
    expect(words('attempt_ended', { how: 'part_done', step: 3 })).toBe('its items are done, the next ones are to come');
    expect(words('attempt_ended', { how: 'regrouped', items_max: 4, failure: { message: 'out of memory' } })).toBe(
      'queued again, to run 4 items at a time; no attempt is counted: out of memory',
    );
    expect(words('attempt_ended', { how: 'regrouped' })).toBe('queued again, its batch failed as a whole; no attempt is counted');
    expect(words('attempt_ended', { how: 'retried', not_before: Date.parse('2026-01-31T12:01:05.000Z') })).toBe('retried, in 1 m 5 s');
    expect(words('attempt_ended', { how: 'continued', step: 5 })).toBe('to be continued at step 5');
  });
});

describe('the parts of a job', () => {
  const part = (batch: number, first_item: number, items: number, result: Json) => ({ batch, first_item, items, result });
  const result = { parts: [part(9, 4, 2, { loss: 0.031234 }), part(7, 0, 4, { artifacts: [{ path: 'a.png', bytes: 3 }] })] };
  it('have the files that their results name, in the order of their items', () => {
    const parts = partsOf(result, null);
    expect(parts.map(partWords)).toEqual(['Items 1 to 4', 'Items 5 to 6']);
    expect(parts[0]?.files).toEqual([{ path: '7/a.png', name: 'a.png', bytes: 3 }]);
    expect(parts[1]?.values).toBe('loss 0.03123');
  });
  it('have the files that the daemon serves under their batch, also of the part that is not done', () => {
    const served = ['7/a.png', '9/deep/b.png', '11/c.png', 'odd.txt'].map((path) => ({ path, batch: 1, bytes: 1, modified: '', media_type: '' }));
    const parts = partsOf(result, served);
    expect(parts.map((one) => [partWords(one), one.files.map((file) => file.name)])).toEqual([
      ['Items 1 to 4', ['a.png']],
      ['Items 5 to 6', ['deep/b.png']],
      ['Not done yet', ['c.png']],
    ]);
  });
  it('are none of a job that runs whole', () => {
    expect(partsOf({ artifacts: [] }, null)).toEqual([]);
    expect(partsOf({ parts: ['odd', null] }, null)).toEqual([]);
  });
});
