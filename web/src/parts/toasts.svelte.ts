// Short messages about what was just done. Errors stay until they are closed.
export interface Toast {
  id: number;
  tone: 'plain' | 'error';
  text: string;
  detail: string;
  link?: { to: string; text: string };
}

let next = 1;
export const toasts = $state<{ all: Toast[] }>({ all: [] });

export function dismiss(id: number): void {
  toasts.all = toasts.all.filter((toast) => toast.id !== id);
}

export function say(text: string, link?: { to: string; text: string }): void {
  const id = next++;
  toasts.all = [...toasts.all.slice(-3), { id, tone: 'plain', text, detail: '', ...(link ? { link } : {}) }];
  setTimeout(() => dismiss(id), 6_000);
}

export function sayError(text: string, detail = ''): void {
  toasts.all = [...toasts.all.slice(-3), { id: next++, tone: 'error', text, detail }];
}
