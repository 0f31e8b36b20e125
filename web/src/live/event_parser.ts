// Splits a text/event-stream into events, as the HTML standard says: fields a line, an empty line ends an event,
// a line that begins with a colon is a comment.

export interface StreamEvent {
  name: string;
  data: string;
  id: string | null; // of the newest event that had one
}

export class EventParser {
  private rest = '';
  private name = '';
  private data: string[] = [];
  private id: string | null = null;

  // Takes the next piece of the stream; returns the events that it completes.
  push(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    const all = this.rest + text;
    // A carriage return at the end may be half of a line's end.
    const lines = all.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') this.finish(events);
      else this.field(line);
    }
    return events;
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const key = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (key === 'event') this.name = value;
    else if (key === 'data') this.data.push(value);
    else if (key === 'id' && !value.includes('\0')) this.id = value;
  }

  private finish(events: StreamEvent[]): void {
    if (this.data.length > 0) events.push({ name: this.name || 'message', data: this.data.join('\n'), id: this.id });
    this.name = '';
    this.data = [];
  }
}
