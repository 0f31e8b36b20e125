// The queue page on a real queue: what it shows, moving, cancelling, holding, choosing many, filters.
import type { Route } from 'playwright-core';
import { hasBrowser, takePicture } from './support/browser';
import { setStage } from './support/stage';
import { patience, until } from './support/until';

describe.skipIf(!hasBrowser)('the queue', () => {
  const stage = setStage(1);
  let running = 0;
  const queued: number[] = [];
  const row = (id: number) => stage.page.locator(`[data-job="${id}"]`);
  const order = () => stage.page.locator('[data-job]').evaluateAll((rows) => rows.map((one) => Number(one.getAttribute('data-job'))));
  const positions = async () => (await stage.daemon.request<{ jobs: { id: number }[] }>('/queue')).jobs.map((job) => job.id);

  beforeAll(async () => {
    running = await stage.daemon.submitGated('first', { name: 'the one that runs' });
    await until('it stands at its gate', async () => (await stage.daemon.job(running)).progress.step === 4);
    for (const name of ['alpha', 'beta', 'gamma', 'delta'])
      queued.push(await stage.daemon.submit('train', { dataset: 'cats', steps: 2 }, { name }));
    await row(queued[3] ?? 0).waitFor();
  });

  it('shows what runs with its progress, and what waits in order', async () => {
    await expect.poll(() => order(), patience).toEqual([running, ...queued]);
    await row(running).getByText('running').waitFor();
    await expect.poll(() => row(running).getByRole('progressbar').getAttribute('aria-valuenow'), patience).toBe('50');
    await expect.poll(() => row(queued[0] ?? 0).locator('.place').innerText(), patience).toBe('1');
  });

  it('moves a job by keyboard, after a preview of whose place changes', async () => {
    const [alpha = 0, beta = 0, gamma = 0, delta = 0] = queued;
    await row(delta).focus();
    await stage.page.keyboard.press('Alt+ArrowUp');
    await stage.page.keyboard.press('ArrowUp');
    const preview = stage.page.locator('.preview');
    await preview.getByText('position 4 → 2').waitFor();
    await preview.getByText('2 → 3').waitFor(); // beta makes room
    expect(await positions()).toEqual([running, alpha, beta, gamma, delta]); // a preview changes nothing
    await stage.page.keyboard.press('Enter');
    await until('the daemon has moved it', async () => (await positions()).join() === [running, alpha, delta, beta, gamma].join());
    await until('the table shows it', async () => (await order()).join() === [running, alpha, delta, beta, gamma].join());
  });

  it('lets go of a job on Escape', async () => {
    const before = await positions();
    await row(queued[0] ?? 0).focus();
    await stage.page.keyboard.press('Alt+ArrowDown');
    await stage.page.locator('.preview').waitFor();
    await stage.page.keyboard.press('Escape');
    await stage.page.locator('.preview').waitFor({ state: 'detached' });
    expect(await positions()).toEqual(before);
  });

  it('keeps the focus on a job that others move, and in the table when it leaves', async () => {
    const [alpha = 0, , , delta = 0] = queued;
    const focus = () => stage.page.evaluate(() => document.activeElement?.getAttribute('data-job') ?? document.activeElement?.tagName);
    for (const id of [alpha, delta])
      for (const position of ['top', 'bottom', 'top']) {
        await row(id).focus();
        await stage.daemon.request(`/jobs/${id}/move`, { position });
        await until('the table shows it', async () => (await order()).join() === (await positions()).join());
        expect(await focus()).toBe(String(id));
      }
    const leaving = await stage.daemon.submit('command', { argv: ['true'] }, { name: 'leaving' });
    await stage.daemon.request(`/jobs/${leaving}/move`, { position: 1 });
    await row(leaving).focus();
    await stage.daemon.request(`/jobs/${leaving}/cancel`, {});
    await row(leaving).waitFor({ state: 'detached' });
    await expect.poll(focus, patience).toMatch(/^[0-9]+$/);
    await stage.daemon.request('/queue/clear', { ids: [leaving] });
    for (const id of [...queued].reverse()) if (id !== delta) await stage.daemon.request(`/jobs/${id}/move`, { position: 'top' });
    await stage.daemon.request(`/jobs/${delta}/move`, { position: 2 });
    await until('they stand as before', async () => (await order()).join() === [running, alpha, delta, ...queued.slice(1, 3)].join());
  });

  it('moves a job by mouse', async () => {
    const [alpha = 0, beta = 0, gamma = 0, delta = 0] = queued; // now alpha, delta, beta, gamma
    await row(gamma).hover();
    const grip = await row(gamma).locator('.grip').boundingBox();
    const target = await row(alpha).boundingBox();
    if (!grip || !target) throw new Error('no rows');
    await stage.page.mouse.move(grip.x + 4, grip.y + 8);
    await stage.page.mouse.down();
    await stage.page.mouse.move(grip.x + 4, target.y + target.height / 2, { steps: 6 });
    await stage.page.locator('.preview').getByText('position 4 → 1').waitFor();
    await stage.page.locator('.insertion').waitFor();
    await stage.page.mouse.up();
    await until('the daemon has moved it', async () => (await positions()).join() === [running, gamma, alpha, delta, beta].join());
  });

  it('holds and releases by the menu of a row', async () => {
    const beta = queued[1] ?? 0;
    await row(beta).getByRole('button', { name: `Actions for job ${beta}` }).click();
    await stage.page.getByRole('menuitem', { name: 'Hold' }).click();
    await row(beta).getByText('held', { exact: true }).waitFor();
    expect((await stage.daemon.job(beta)).held).toBe(true);
    await row(beta).focus();
    await stage.page.keyboard.press('m');
    await stage.page.getByRole('menuitem', { name: 'Release' }).press('Enter');
    await row(beta).getByText('queued', { exact: true }).waitFor();
    expect((await stage.daemon.job(beta)).held).toBe(false);
  });

  it('gives another priority to many at once', async () => {
    const [alpha = 0, beta = 0] = queued;
    await row(alpha).getByRole('checkbox').click();
    await row(beta).focus();
    await stage.page.keyboard.press('Space');
    const bar = stage.page.getByRole('toolbar', { name: 'Selected jobs' });
    await bar.getByText('2 jobs selected').waitFor();
    await bar.getByRole('button', { name: 'Priority …' }).click();
    await stage.page.getByRole('spinbutton', { name: 'Priority as a number' }).fill('70');
    await stage.page.getByRole('button', { name: 'Set priority' }).click();
    await until('both have it', async () => (await stage.daemon.job(alpha)).priority === 70 && (await stage.daemon.job(beta)).priority === 70);
    await bar.getByRole('button', { name: 'Clear the selection' }).click();
    await bar.waitFor({ state: 'detached' });
  });

  it('finds jobs, and keeps the filter in the address', async () => {
    const [alpha = 0, , gamma = 0] = queued;
    await stage.page.getByRole('searchbox', { name: 'Find jobs' }).fill('gam');
    await until('only gamma is left', async () => (await order()).join() === String(gamma));
    expect(stage.page.url()).toContain('find=gam');
    await stage.page.getByRole('searchbox', { name: 'Find jobs' }).fill('no such job');
    await stage.page.getByText('No job fits these filters').waitFor();
    await stage.page.getByRole('searchbox', { name: 'Find jobs' }).fill('');
    await row(alpha).waitFor();
  });

  it('pauses and goes on', async () => {
    await stage.page.getByRole('button', { name: 'Pause queue' }).click();
    await stage.page.getByText('The queue is paused: what runs goes on').waitFor();
    expect((await stage.daemon.request<{ paused: boolean }>('/queue')).paused).toBe(true);
    await stage.page.getByRole('button', { name: 'Go on' }).click();
    await stage.page.getByText('The queue is paused: what runs goes on').waitFor({ state: 'detached' });
  });

  it('asks before it cancels what runs, and does nothing when told to keep it', async () => {
    await row(running).focus();
    await stage.page.keyboard.press('Delete');
    const dialog = stage.page.getByRole('dialog');
    await dialog.getByText('50% done').waitFor();
    await dialog.getByRole('button', { name: 'Keep it' }).click();
    expect((await stage.daemon.job(running)).status).toBe('running');
    await row(running).focus();
    await stage.page.keyboard.press('Delete');
    await dialog.getByRole('button', { name: 'Cancel job' }).click();
    await stage.daemon.waitFor(running, 'cancelled');
    await row(running).waitFor({ state: 'detached' });
  });

  it('lists what has ended, and queues a cancelled job again', async () => {
    for (const id of queued) await stage.daemon.waitFor(id, 'completed');
    await stage.page.getByRole('button', { name: 'Finished' }).click();
    await row(running).getByText('cancelled').waitFor();
    expect((await order()).sort()).toEqual([running, ...queued].sort());
    await row(running).getByRole('button', { name: `Actions for job ${running}` }).click();
    stage.daemon.openGate('first');
    await stage.page.getByRole('menuitem', { name: 'Retry' }).click();
    await stage.daemon.waitFor(running, 'completed');
  });

  it('clears finished jobs of one type, by age, or all', async () => {
    const other = await stage.daemon.submit('command', { argv: ['true'] }, { name: 'no training' });
    await row(other).getByText('completed').waitFor();
    const dialog = stage.page.getByRole('dialog', { name: 'Clear finished jobs' });
    const clear = async (type: string, age = 'at any time') => {
      await stage.page.getByRole('button', { name: 'Clear finished …' }).click();
      await dialog.getByRole('combobox', { name: 'Type' }).selectOption(type);
      await dialog.getByRole('combobox', { name: 'Ended' }).selectOption(age);
      await takePicture(stage.page, 'clear_1280_light');
      await dialog.getByRole('button', { name: 'Clear', exact: true }).click();
    };
    await clear('command', 'more than an hour ago');
    await stage.page.getByText('No job fits: nothing was cleared').waitFor();
    expect((await order()).sort()).toEqual([running, ...queued, other].sort());
    await clear('command');
    await row(other).waitFor({ state: 'detached' });
    expect((await order()).sort()).toEqual([running, ...queued].sort());
    await clear('');
    await stage.page.getByText('Nothing has finished yet').waitFor();
  });

  it('does not end a queued job that has started when the order arrives, but asks again', async () => {
    const first = await stage.daemon.submitGated('before');
    const second = await stage.daemon.submitGated('then', { name: 'nearly cancelled' });
    await stage.go('/queue');
    await row(second).getByText('queued', { exact: true }).waitFor();
    // The order is held up on its way until the job runs.
    const holdUp = async (route: Route) => {
      stage.daemon.openGate('before');
      await stage.daemon.waitFor(first, 'completed');
      await until('it stands at its gate', async () => (await stage.daemon.job(second)).progress.step === 4);
      await route.continue();
    };
    await stage.page.route(`**/api/v1/jobs/${second}/cancel`, holdUp, { times: 1 });
    await row(second).focus();
    await stage.page.keyboard.press('Delete');
    const dialog = stage.page.getByRole('dialog');
    await dialog.getByText('It has started in the meantime and was not cancelled.').waitFor();
    expect((await stage.daemon.job(second)).status).toBe('running');
    await dialog.getByRole('button', { name: 'Cancel job' }).click();
    await stage.daemon.waitFor(second, 'cancelled');
  });
});
