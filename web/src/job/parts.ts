// A job that runs in parts: what each part that is done has left, and the files of the one that is under way.
import type { Artifact, Json } from '@/api/types';
import { namedIn } from './files';

export interface PartFile {
  path: string; // as the daemon serves it: "<batch>/<path within the part>"
  name: string;
  bytes: number | null;
}
export interface Part {
  batch: number;
  firstItem: number; // from 0
  items: number; // 0: of a part that is not done
  values: string; // what its result says beside files
  files: PartFile[];
}

// `artifacts` null: this daemon does not serve files, so the results name them.
export function partsOf(result: Json, artifacts: Artifact[] | null): Part[] {
  if (result === null || typeof result !== 'object' || Array.isArray(result) || !Array.isArray(result['parts'])) return [];
  const parts = result['parts'].flatMap((one): Part[] => {
    if (one === null || typeof one !== 'object' || Array.isArray(one)) return [];
    const { batch, first_item: firstItem, items, result: own = null } = one;
    if (typeof batch !== 'number' || typeof firstItem !== 'number' || typeof items !== 'number') return [];
    const named = artifacts ? [] : namedIn(own).map((file) => ({ path: `${batch}/${file.path}`, name: file.path, bytes: file.bytes }));
    return [{ batch, firstItem, items, values: valuesIn(own), files: named }];
  });
  const by = new Map(parts.map((part) => [part.batch, part]));
  for (const { path, bytes } of artifacts ?? []) {
    const cut = path.indexOf('/');
    const batch = Number(path.slice(0, cut));
    if (cut < 1 || !Number.isInteger(batch)) continue;
    let part = by.get(batch);
    if (!part) {
      part = { batch, firstItem: 0, items: 0, values: '', files: [] };
      by.set(batch, part);
    }
    part.files.push({ path, name: path.slice(cut + 1), bytes });
  }
  return [...by.values()].sort((a, b) => Number(a.items === 0) - Number(b.items === 0) || a.firstItem - b.firstItem);
}

export const partWords = (part: Part): string =>
  part.items === 0 ? 'Not done yet' : part.items === 1 ? `Item ${part.firstItem + 1}` : `Items ${part.firstItem + 1} to ${part.firstItem + part.items}`;

// Plain values of a result, such as "loss 0.031"; files stand in the list.
function valuesIn(result: Json): string {
  if (result === null || typeof result !== 'object' || Array.isArray(result)) return '';
  return Object.entries(result)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    .map(([key, value]) => `${key.replaceAll('_', ' ')} ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`)
    .join(', ');
}
