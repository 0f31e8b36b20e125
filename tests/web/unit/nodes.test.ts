import type { Device, Node } from '@/api/types';
import { leftBehind, machinesOf, stateOf } from '@/devices/nodes';

const now = Date.parse('2026-01-31T12:00:00.000Z');
const at = (seconds: number) => new Date(now + seconds * 1_000).toISOString();
const clockOf = (seconds: number) => new Date(now + seconds * 1_000).toTimeString().slice(0, 8);
const device = (id: string) => ({ id }) as Device;
const node = (more: Partial<Node> = {}): Node => ({
  name: 'alpha', version: '0.1.0', address: '192.0.2.7', connected: true, drained: false, trouble: null,
  heard: at(-90), lease_ends: null, devices: [], runs: [], ...more,
});
const away = (more: Partial<Node> = {}) => node({ connected: false, trouble: 'node alpha is not connected', ...more });

describe('the devices of several machines', () => {
  it('stand with the machine that has them, in their order, the nodes by name', () => {
    const devices = ['cpu', 'beta:GPU-2', 'alpha:cpu', 'alpha:GPU-1', 'GPU-0'].map(device);
    const { own, lent } = machinesOf(devices, [node(), node({ name: 'beta' })]);
    expect(own.map(({ id }) => id)).toEqual(['cpu', 'GPU-0']);
    expect(lent.map(({ name, node: told, devices: its }) => [name, told?.name, its.map(({ id }) => id)])).toEqual([
      ['alpha', 'alpha', ['alpha:cpu', 'alpha:GPU-1']],
      ['beta', 'beta', ['beta:GPU-2']],
    ]);
  });
  it('are one list where there are no nodes', () => {
    expect(machinesOf([device('cpu')], [])).toEqual({ own: [device('cpu')], lent: [] });
  });
  it('and their nodes may be told of one before the other', () => {
    const { lent } = machinesOf([device('new:cpu')], [node({ name: 'known' })]);
    expect(lent).toEqual([
      { name: 'known', node: node({ name: 'known' }), devices: [] },
      { name: 'new', node: null, devices: [device('new:cpu')] },
    ]);
  });
});

describe('a node', () => {
  it('is connected, drained, or out of service with the reason', () => {
    expect(stateOf(node({ runs: [7] }), now)).toEqual({ look: 'connected', words: 'connected', more: '' });
    const drained = { drained: true, trouble: 'node alpha is drained' };
    expect(stateOf(node(drained), now)).toEqual({ look: 'drained', words: 'drained', more: 'Nothing new is started there' });
    expect(stateOf(node({ ...drained, runs: [7] }), now).more).toBe('Nothing new is started there; 1 batch goes on');
    expect(stateOf(node({ ...drained, runs: [7, 8] }), now).more).toBe('Nothing new is started there; 2 batches go on');
    expect(stateOf(node({ trouble: 'the GPU fell off the bus' }), now)).toEqual({ look: 'trouble', words: 'out of service', more: 'the GPU fell off the bus' });
  });
  it('is away since it was last heard of, if it was', () => {
    expect(stateOf(away(), now)).toEqual({ look: 'away', words: `away since ${clockOf(-90)}`, more: '' });
    expect(stateOf(away({ drained: true }), now).words).toBe(`away since ${clockOf(-90)}, drained`);
    expect(stateOf(away({ heard: null, runs: [7] }), now)).toEqual({
      look: 'away', words: 'away', more: 'Not heard of since the daemon started. It may still run 1 batch; what became of it is known once it is back',
    });
  });
  it('may still run what it was given until its lease ends', () => {
    expect(leftBehind(away({ lease_ends: at(40) }), now)).toBe('');
    expect(leftBehind(node({ lease_ends: at(40), runs: [7] }), now)).toBe('');
    expect(leftBehind(away({ lease_ends: at(40), runs: [7, 8] }), now)).toBe(`It may still run 2 batches until ${clockOf(40)}`);
    expect(leftBehind(away({ runs: [7, 8] }), now)).toBe('It may still run 2 batches; what became of them is known once it is back');
  });
});
