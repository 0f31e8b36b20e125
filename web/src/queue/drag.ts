// Dragging a row by pointer: follows it, scrolls near the edges of the screen, and tells which row it is over.
import { rowAt, type Sight } from './window';

interface Drag {
  sight: () => Sight;
  aim: (row: number) => void;
  drop: () => void;
  letGo: () => void;
}

const edge = 72; // px from the top or bottom within which the page scrolls
const speed = 14; // px a frame at most

export function dragRow(begin: PointerEvent, drag: Drag): void {
  let y = begin.clientY;
  let frame = requestAnimationFrame(scroll);

  function scroll(): void {
    const up = Math.max(0, edge + 84 - y);
    const down = Math.max(0, y - (window.innerHeight - edge));
    const by = Math.min(down, edge) - Math.min(up, edge);
    if (by !== 0) {
      window.scrollBy(0, (by / edge) * speed);
      drag.aim(rowAt(y, drag.sight()));
    }
    frame = requestAnimationFrame(scroll);
  }
  function move(event: PointerEvent): void {
    if (event.pointerId !== begin.pointerId) return;
    y = event.clientY;
    drag.aim(rowAt(y, drag.sight()));
  }
  function up(event: PointerEvent): void {
    if (event.pointerId !== begin.pointerId) return;
    end();
    if (event.type === 'pointerup') drag.drop();
    else drag.letGo();
  }
  function key(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    end();
    drag.letGo();
  }
  function end(): void {
    cancelAnimationFrame(frame);
    window.removeEventListener('pointermove', move);
    window.removeEventListener('pointerup', up);
    window.removeEventListener('pointercancel', up);
    window.removeEventListener('keydown', key, true);
    document.documentElement.style.removeProperty('cursor');
  }

  window.addEventListener('pointermove', move);
  window.addEventListener('pointerup', up);
  window.addEventListener('pointercancel', up);
  window.addEventListener('keydown', key, true);
  document.documentElement.style.setProperty('cursor', 'grabbing');
}
