// Which page an address names.
export type Route =
  | { page: 'queue' }
  | { page: 'job'; id: number }
  | { page: 'submit'; type: string | null }
  | { page: 'devices' }
  | { page: 'analytics' }
  | { page: 'datasets'; name: string | null }
  | { page: 'unknown' };

export function matchRoute(path: string): Route {
  const [first = '', second, ...more] = path.split('/').filter((part) => part !== '');
  if (more.length > 0) return { page: 'unknown' };
  const named = second === undefined ? null : decode(second);
  switch (first) {
    case '':
    case 'queue':
      return second === undefined ? { page: 'queue' } : { page: 'unknown' };
    case 'jobs':
      if (second === undefined) return { page: 'queue' };
      return /^[1-9][0-9]{0,15}$/.test(second) ? { page: 'job', id: Number(second) } : { page: 'unknown' };
    case 'submit':
      return { page: 'submit', type: named };
    case 'datasets':
      return { page: 'datasets', name: named };
    case 'devices':
    case 'analytics':
      return second === undefined ? { page: first } : { page: 'unknown' };
    default:
      return { page: 'unknown' };
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
