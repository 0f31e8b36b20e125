// A device's memory in the parts that its meter shows. Pure.
import type { Device } from '@/api/types';

export interface MemoryPart {
  key: 'jobs' | 'reserved' | 'others' | 'used' | 'free';
  text: string;
  mib: number;
}
export interface Memory {
  parts: MemoryPart[]; // stacked from the left, what is free last; none is negative
  whole: number; // what the meter spans, MiB
}

type Told = Pick<Device, 'memory_mib' | 'memory_leased_mib' | 'memory_used_mib' | 'memory_foreign_mib'>;

// Reserved is what jobs may take, used is what the device says is taken, foreign is that part of it which is not ferry's.
export function memoryOf(device: Told): Memory {
  const reserved = device.memory_leased_mib;
  const used = device.memory_used_mib;
  const foreign = used === null ? null : device.memory_foreign_mib;
  const taken: MemoryPart[] =
    used === null
      ? [{ key: 'reserved', text: 'reserved by jobs', mib: reserved }]
      : foreign === null // nobody can say whose it is
        ? [
            { key: 'used', text: 'in use', mib: used },
            { key: 'reserved', text: 'reserved, not in use', mib: Math.max(0, reserved - used) },
          ]
        : [
            { key: 'jobs', text: 'in use by jobs', mib: Math.max(0, used - foreign) },
            { key: 'reserved', text: 'reserved, not in use', mib: Math.max(0, reserved - Math.max(0, used - foreign)) },
            { key: 'others', text: 'in use by others', mib: foreign },
          ];
  const sum = taken.reduce((all, part) => all + part.mib, 0);
  return {
    parts: [...taken, { key: 'free', text: 'free', mib: Math.max(0, device.memory_mib - sum) }],
    whole: Math.max(device.memory_mib, sum),
  };
}
