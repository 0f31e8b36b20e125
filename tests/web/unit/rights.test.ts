import type { Session } from '@/api/types';
import { mayChange, mayManage, maySubmit, whyNotChange } from '@/live/rights';

const who = (role: Session['role'], user = 'ada'): Session => ({ user, role, version: '' });

describe('rights', () => {
  it('follow the role and whose job it is', () => {
    const jobs = [{ user: 'ada' }, { user: 'bob' }, { user: null }];
    const changes = (session: Session | null) => jobs.map((job) => mayChange(session, job));
    expect(changes(who('admin'))).toEqual([true, true, true]);
    expect(changes(who('submit'))).toEqual([true, false, false]);
    expect(changes(who('submit', 'eve'))).toEqual([false, false, false]);
    expect(changes(who('read'))).toEqual([false, false, false]);
    expect(changes(null)).toEqual([true, true, true]);
    expect([who('admin'), who('submit'), who('read'), null].map(mayManage)).toEqual([true, false, false, true]);
    expect([who('admin'), who('submit'), who('read'), null].map(maySubmit)).toEqual([true, true, false, true]);
  });
  it('say what is in the way', () => {
    expect(whyNotChange(who('submit'), { user: 'ada' })).toBe('');
    expect(whyNotChange(who('submit'), { user: 'bob' })).toContain('It is bob');
    expect(whyNotChange(who('read'), { user: 'ada' })).toBe('Your access may look only');
  });
});
