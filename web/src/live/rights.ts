// What the access of this browser allows, as docs/api.md says it under Access: not shown, or shown with a reason, rather than
// refused afterwards. The daemon decides all the same. A session that is not known (null) may try everything.
import type { Job, Session } from '@/api/types';

type Who = Session | null;

export const maySubmit = (who: Who): boolean => who?.role !== 'read';
export const mayManage = (who: Who): boolean => who === null || who.role === 'admin';
export const mayChange = (who: Who, job: Pick<Job, 'user'>): boolean =>
  mayManage(who) || (who?.role === 'submit' && job.user === who.user);

// Why not, in words; '' where nothing is in the way.
export function whyNotChange(who: Who, job: Pick<Job, 'user'>): string {
  if (mayChange(who, job)) return '';
  if (who?.role === 'read') return 'Your access may look only';
  return `${job.user === null ? 'It belongs to nobody' : `It is ${job.user}’s`}: your access may change your own jobs`;
}
export const whyNotManage = (who: Who): string => (mayManage(who) ? '' : 'Needs the role admin');
