// Client-side routing by path: the daemon answers every page's address with the same index.html.
import { matchRoute, type Route } from './routes';

class Router {
  path = $state(location.pathname);
  search = $state(location.search);
  readonly route: Route = $derived(matchRoute(this.path));
  readonly fields = $derived(new URLSearchParams(this.search));

  start(): () => void {
    const back = () => this.read();
    window.addEventListener('popstate', back);
    document.addEventListener('click', this.onClick);
    return () => {
      window.removeEventListener('popstate', back);
      document.removeEventListener('click', this.onClick);
    };
  }

  go(to: string): void {
    if (to === location.pathname + location.search) return;
    const otherPage = new URL(to, location.href).pathname !== this.path;
    history.pushState(null, '', to);
    this.read();
    if (otherPage) window.scrollTo(0, 0);
  }

  // Changes fields of the address without a step in the history: filters, tabs.
  setFields(fields: Record<string, string | null>): void {
    const next = new URLSearchParams(location.search);
    for (const [key, value] of Object.entries(fields)) {
      if (value) next.set(key, value);
      else next.delete(key);
    }
    const text = next.toString();
    history.replaceState(null, '', location.pathname + (text ? '?' + text : ''));
    this.read();
  }

  private read(): void {
    this.path = location.pathname;
    this.search = location.search;
  }

  // Plain clicks on links of the page stay in the page.
  private onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.pathname.startsWith('/api/') || (link.hash && link.pathname === location.pathname)) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  };
}

export const router = new Router();
