// Light, dark, or as the system has it; kept in this browser.
export type Theme = 'auto' | 'light' | 'dark';

const key = 'ferry.theme';
const stored = localStorage.getItem(key);
let chosen = $state<Theme>(stored === 'light' || stored === 'dark' ? stored : 'auto');

export const theme = {
  get value(): Theme {
    return chosen;
  },
  set value(next: Theme) {
    chosen = next;
    localStorage.setItem(key, next);
    applyTheme();
  },
};

export function applyTheme(): void {
  if (chosen === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}
