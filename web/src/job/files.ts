// A job's files: which can be looked at, and in which order.
import type { Artifact, Json } from '@/api/types';

export type Showing = 'picture' | 'video' | 'none';

export function showingOf(file: Pick<Artifact, 'path' | 'media_type'>): Showing {
  if (/^image\/(png|jpeg|webp|gif)$/.test(file.media_type)) return 'picture';
  if (/^video\/(mp4|webm)$/.test(file.media_type)) return 'video';
  return 'none';
}

// Newest first: what came last is what one waits for.
export function newestFirst(files: Artifact[]): Artifact[] {
  return [...files].sort((a, b) => Date.parse(b.modified) - Date.parse(a.modified) || b.path.localeCompare(a.path, 'en', { numeric: true }));
}

// What the result names, for a daemon that does not serve files.
export function namedIn(result: Json): { path: string; bytes: number | null }[] {
  if (result === null || typeof result !== 'object' || Array.isArray(result)) return [];
  const artifacts = result['artifacts'];
  if (!Array.isArray(artifacts)) return [];
  return artifacts.flatMap((one) => {
    if (one === null || typeof one !== 'object' || Array.isArray(one) || typeof one['path'] !== 'string') return [];
    return [{ path: one['path'], bytes: typeof one['bytes'] === 'number' ? one['bytes'] : null }];
  });
}
