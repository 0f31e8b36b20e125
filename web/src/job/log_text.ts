// A log as lines of text, from raw pieces: a carriage return begins the line anew (progress bars), colours are left out.

// eslint-disable-next-line no-control-regex
const escapes = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]/g;

export class LogText {
  readonly lines: string[] = [];
  private open = ''; // the last line, not yet ended

  constructor(private readonly linesMax = 20_000) {}

  push(piece: string): void {
    const parts = (this.open + piece).split('\n');
    this.open = parts.pop() ?? '';
    for (const part of parts) this.lines.push(shown(part));
    if (this.lines.length > this.linesMax) this.lines.splice(0, this.lines.length - this.linesMax);
    // A bar that is drawn anew a thousand times within one line is not kept a thousand times.
    const start = this.open.lastIndexOf('\r', this.open.length - 2);
    if (start > 0) this.open = this.open.slice(start);
  }

  // All lines, the open one too.
  all(): string[] {
    const last = shown(this.open);
    return last ? [...this.lines, last] : this.lines;
  }
}

function shown(line: string): string {
  const plain = line.replace(escapes, '').replace(/\r+$/, '');
  return plain.slice(plain.lastIndexOf('\r') + 1);
}

export interface Found {
  number: number; // of the line, from 1
  before: string;
  match: string;
  after: string;
}

// Lines that contain a text, whatever its case, with where.
export function findInLog(lines: string[], wanted: string, most = 500): { found: Found[]; total: number } {
  const needle = wanted.toLowerCase();
  const found: Found[] = [];
  let total = 0;
  lines.forEach((line, index) => {
    const at = line.toLowerCase().indexOf(needle);
    if (at < 0) return;
    total += 1;
    if (found.length < most)
      found.push({ number: index + 1, before: line.slice(0, at), match: line.slice(at, at + wanted.length), after: line.slice(at + wanted.length) });
  });
  return { found, total };
}
