// Devices by the machine that has them, and what is to be said of a machine that lends its own. Pure.
import type { Device, Node } from '@/api/types';
import { formatMoment } from '@/format/duration';
import { plural } from '@/format/quantity';

export interface Lent {
  name: string;
  node: Node | null; // null: not told of yet
  devices: Device[];
}
export interface Machines {
  own: Device[];
  lent: Lent[]; // by name
}

// A node's name stands before the ids of its devices, and holds no colon: alpha:cpu.
export function machinesOf(devices: Device[], nodes: Node[]): Machines {
  const own: Device[] = [];
  const by = new Map(nodes.map((node): [string, Lent] => [node.name, { name: node.name, node, devices: [] }]));
  for (const device of devices) {
    const colon = device.id.indexOf(':');
    if (colon < 0) {
      own.push(device);
      continue;
    }
    const name = device.id.slice(0, colon);
    const lent = by.get(name) ?? { name, node: null, devices: [] };
    lent.devices.push(device);
    by.set(name, lent);
  }
  return { own, lent: [...by.values()].sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

export interface NodeState {
  look: 'connected' | 'drained' | 'away' | 'trouble';
  words: string;
  more: string; // what that means for what runs there; '' where there is nothing to say
}

export function stateOf(node: Node, now: number): NodeState {
  if (!node.connected) {
    const since = node.heard ? `away since ${formatMoment(node.heard, now)}` : 'away';
    const unheard = node.heard ? '' : 'Not heard of since the daemon started';
    return { look: 'away', words: node.drained ? `${since}, drained` : since, more: [unheard, leftBehind(node, now)].filter(Boolean).join('. ') };
  }
  const runs = node.runs.length;
  if (node.drained)
    return { look: 'drained', words: 'drained', more: `Nothing new is started there${runs > 0 ? `; ${plural(runs, 'batch', 'batches')} ${runs === 1 ? 'goes' : 'go'} on` : ''}` };
  if (node.trouble) return { look: 'trouble', words: 'out of service', more: node.trouble };
  return { look: 'connected', words: 'connected', more: '' };
}

// What an absent node was given and may still run, in words; '' where that is nothing.
export function leftBehind(node: Node, now: number): string {
  if (node.connected || node.runs.length === 0) return '';
  const batches = `It may still run ${plural(node.runs.length, 'batch', 'batches')}`;
  return node.lease_ends ? `${batches} until ${formatMoment(node.lease_ends, now)}` : `${batches}; what became of ${node.runs.length === 1 ? 'it' : 'them'} is known once it is back`;
}
