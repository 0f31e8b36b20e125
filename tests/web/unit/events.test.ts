import { backoff } from '@/live/backoff';
import { EventParser } from '@/live/event_parser';

describe('the event stream', () => {
  it('is split into events wherever its pieces are cut', () => {
    const stream = ': hello\n\nid: 7\nevent: job\ndata: {"id":1}\n\nevent: queue\r\ndata: a\r\ndata: b\r\n\r\ndata:last\n\n';
    const whole = new EventParser().push(stream);
    expect(whole).toEqual([
      { name: 'job', data: '{"id":1}', id: '7' },
      { name: 'queue', data: 'a\nb', id: '7' },
      { name: 'message', data: 'last', id: '7' },
    ]);
    for (let cut = 1; cut < stream.length; cut += 1) {
      const parser = new EventParser();
      expect([...parser.push(stream.slice(0, cut)), ...parser.push(stream.slice(cut))]).toEqual(whole);
    }
  });
  it('passes over comments and events without data', () => {
    expect(new EventParser().push(': ping\n\nevent: job\n\n')).toEqual([]);
  });
  it('is asked for again ever later, at most every five seconds', () => {
    const waits = [0, 1, 2, 3, 20].map((failures) => backoff(failures, 0.5));
    expect(waits).toEqual([500, 1000, 2000, 4000, 4000]);
    expect(backoff(50, 1)).toBeLessThan(5_000);
  });
});
