// A running job that is suspended by the page, and goes on.
import { hasBrowser } from './support/browser';
import { setStage } from './support/stage';
import { until } from './support/until';

describe.skipIf(!hasBrowser)('a suspended job', () => {
  const stage = setStage(1);

  it('gives its device back, and goes on by a click', async () => {
    const id = await stage.daemon.submitGated('first', { name: 'for the night' });
    await until('it stands at its gate', async () => (await stage.daemon.job(id)).progress.step === 4);
    const row = stage.page.locator(`[data-job="${id}"]`);
    await row.getByRole('button', { name: `Actions for job ${id}` }).click();
    await stage.page.getByRole('menuitem', { name: 'Suspend' }).click();
    await until('it is held', async () => {
      const job = await stage.daemon.job(id);
      return job.status === 'queued' && job.held;
    });
    const other = await stage.daemon.submit('command', { argv: ['true'] }, { name: 'in between' });
    await stage.daemon.waitFor(other, 'completed');
    await row.getByText('held', { exact: true }).waitFor();
    await row.getByRole('button', { name: `Actions for job ${id}` }).click();
    await stage.page.getByRole('menuitem', { name: 'Release' }).click();
    await row.getByText('running').waitFor();
    stage.daemon.openGate('first');
    await stage.daemon.waitFor(id, 'completed');
    expect((await stage.daemon.job(id)).attempts).toBe(2);
  });
});
