// A job that runs in parts, and what the daemon foresees and measures: the start of a job before it is submitted, figures, workers.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { breaches, hasBrowser, takePicture } from './support/browser';
import { setStage } from './support/stage';
import { patience } from './support/until';

describe.skipIf(!hasBrowser)('parts and figures', () => {
  const stage = setStage(1);
  const { daemon } = stage;
  const prompts = Array.from({ length: 10 }, (_, i) => `ps_${i + 1}`);
  const foreseen = (text: string | RegExp) => stage.page.locator('.foreseen').getByText(text).waitFor();
  let id = 0;

  it('are counted while the job runs', async () => {
    const waits = { num_steps: 4, pause_at: 2, pause_prompt: 'ps_5', gate: join(daemon.folder, 'second') };
    id = await daemon.submit('inference', { prompt_ids: prompts, ...waits }, { name: 'ten prompts' });
    await stage.go('/queue');
    await stage.page.locator(`[data-job="${id}"]`).getByText('4 of 10 items').waitFor();
    await stage.go(`/jobs/${id}`);
    await stage.page.locator('header .progress').getByText('4 of 10 items').waitFor();
    await stage.page.getByText('4 of 10 items done, 4 at work').waitFor();
    await stage.page.getByText('attempt 1 starts on cpu, batch 2: items 5 to 8 of 10').waitFor();
    await stage.page.getByText('its items are done, the next ones are to come').first().waitFor();
    await stage.page.locator('.parts').getByText('Items 1 to 4').waitFor();
  });

  it('say where a job would stand before it is submitted', async () => {
    await stage.go('/submit/inference');
    await stage.page.getByRole('textbox', { name: 'Prompt ids', exact: true }).fill('ps_99');
    await foreseen(/position \d/);
    await foreseen(/^Starts |^Its start cannot be foreseen yet/);
    expect((await daemon.request<{ jobs: unknown[] }>('/jobs')).jobs).toHaveLength(1);
  });

  it('list what each has left', async () => {
    daemon.openGate('second');
    await daemon.waitFor(id, 'completed');
    await stage.go(`/jobs/${id}`);
    const list = stage.page.locator('.parts');
    await list.getByText('Items 9 to 10').waitFor();
    for (const [name, batch] of [['Items 1 to 4', 1], ['Items 5 to 8', 2], ['Items 9 to 10', 3]] as const) {
      const part = list.locator('> li', { hasText: name });
      await part.getByText(`batch ${batch} \u00b7 loss`).waitFor();
      await expect.poll(() => part.getByRole('list').getByText('samples/step-00004.png').count(), patience).toBe(1);
    }
    await stage.page.getByText('10 of 10 items done').waitFor();
    expect(await breaches(stage.page)).toEqual([]);
    await takePicture(stage.page, 'parts_1280_light');
  });

  it('foresee how long a job takes, once one was measured', async () => {
    await stage.go('/submit/inference');
    await stage.page.getByRole('textbox', { name: 'Prompt ids', exact: true }).fill('ps_99');
    await stage.page.getByRole('textbox', { name: 'Num steps', exact: true }).fill('4');
    await foreseen(/takes about/);
    await foreseen(/^Starts now|^Starts by/);
    await takePicture(stage.page, 'foreseen_1280_light');
  });

  it('are shown by hour and by reason', async () => {
    const failed = await daemon.submit('train', { dataset: 'cats', steps: 4, fail_at: 2 });
    await daemon.waitFor(failed, 'failed');
    await stage.go('/analytics');
    await stage.page.getByRole('img', { name: '2 jobs ended in 48 hours; at most' }).waitFor();
    const reason = stage.page.getByRole('row', { name: /train/ }).filter({ hasText: 'ended with status 1' });
    await reason.getByText('exit status').waitFor();
    await stage.page.getByText('Wait, median and 9 of 10').waitFor();
    await stage.page.getByRole('button', { name: 'Days' }).click();
    await stage.page.getByRole('img', { name: '2 jobs ended in 30 days; at most' }).waitFor();
    expect(await breaches(stage.page)).toEqual([]);
    await takePicture(stage.page, 'figures_1280_light');
  });

  it('show the workers that are kept', async (context) => {
    const photo = join(process.env['FERRY_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ferry'), 'media', 'flower.jpg');
    if (!existsSync(photo)) return context.skip('the media of the demo are not there (scripts/setup fetches them)');
    const upscale = await daemon.submit('upscale', { source: photo, control_weight: 0 });
    await daemon.waitFor(upscale, 'completed');
    await stage.go('/devices');
    await stage.page.locator('article li', { hasText: 'upscale' }).getByText(/idle.*ends in/).waitFor();
    await takePicture(stage.page, 'workers_1280_light');
  });
});
