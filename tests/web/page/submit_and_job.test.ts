// The way of a job as a user goes it: filled in, submitted, watched, looked at, run again with changes.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasBrowser, openPage } from './support/browser';
import { setStage } from './support/stage';
import { patience, until } from './support/until';

describe.skipIf(!hasBrowser)('submitting and watching', () => {
  const stage = setStage();
  const { daemon } = stage;
  const field = (label: string) => stage.page.getByRole('textbox', { name: label, exact: true });

  it('says at the field what is wrong, before anything is sent', async () => {
    await stage.go('/submit/train');
    await field('Steps').fill('0');
    await stage.page.getByRole('button', { name: 'Submit job' }).click();
    await stage.page.getByText('Dataset is required').waitFor();
    await stage.page.getByText('Steps must be at least 1').waitFor();
    await expect.poll(() => field('Steps').getAttribute('aria-invalid'), patience).toBe('true');
    expect((await daemon.request<{ jobs: unknown[] }>('/jobs')).jobs).toEqual([]);
  });

  it('has the fields in the order in which the configuration writes them', async () => {
    const keys = await stage.page.locator('[data-field]').evaluateAll((fields) => fields.map((one) => one.getAttribute('data-field')));
    expect(keys.slice(0, 7)).toEqual(['dataset', 'steps', 'learning_rate', 'rank', 'seed', 'validation_prompt', 'resume_from']);
  });

  it('submits what the form holds, and nothing that is the default', async () => {
    await field('Name').fill('cats, quickly');
    await field('Dataset').fill('cats');
    await field('Steps').fill('8');
    await field('Pause at').fill('5');
    await field('Gate').fill(join(daemon.folder, 'cats'));
    await stage.page.getByRole('button', { name: 'Submit job' }).click();
    await stage.page.locator('.accepted').getByText('Job 1').waitFor();
    const job = await daemon.job(1);
    expect(job.name).toBe('cats, quickly');
    expect(job.params).toMatchObject({ dataset: 'cats', steps: 8, pause_at: 5, learning_rate: 2e-4 });
  });

  it('follows progress, metrics and log while the job runs, without a reload', async () => {
    await stage.page.getByRole('link', { name: 'Job 1', exact: true }).click();
    await stage.page.getByText('step 4 of 8').waitFor();
    const log = stage.page.getByRole('log');
    await log.getByText('step 4/8').waitFor();
    expect(await log.innerText()).not.toContain('step 5/8');
    daemon.openGate('cats');
    await log.getByText('step 8/8').waitFor();
    await stage.page.locator('header .status', { hasText: 'completed' }).waitFor();
    await stage.page.getByText('attempt 1 starts on cpu').waitFor();
  });

  it('searches the log', async () => {
    await stage.page.getByRole('searchbox', { name: 'Find in the log' }).fill('step 3');
    await stage.page.getByText('1 line', { exact: true }).waitFor();
    await expect.poll(() => stage.page.getByRole('log').locator('mark').allInnerTexts(), patience).toEqual(['step 3']);
    await stage.page.getByRole('searchbox', { name: 'Find in the log' }).fill('');
  });

  it('runs it again with changes', async () => {
    await stage.page.getByRole('link', { name: 'Run again with changes' }).click();
    await stage.page.getByText('With the parameters of').waitFor();
    await expect.poll(() => field('Steps').inputValue(), patience).toBe('8');
    await field('Steps').fill('4');
    await field('Pause at').fill('');
    await stage.page.getByRole('button', { name: 'Submit job' }).click();
    await stage.page.locator('.accepted').getByText('Job 2').waitFor();
    await daemon.waitFor(2, 'completed');
    expect((await daemon.job(2)).params).toMatchObject({ dataset: 'cats', steps: 4 });
    expect((await daemon.job(2)).params['pause_at']).toBeUndefined();
  });

  it('drags a slider, and sweeps over values', async () => {
    await stage.go('/submit/inference');
    await field('Prompt ids').fill('ps_1\nps_2');
    await stage.page.getByRole('slider', { name: 'Vis' }).press('End');
    await expect.poll(() => field('Vis').inputValue(), patience).toBe('1');
    await stage.page.locator('[data-field="num_steps"]').getByRole('button', { name: 'Sweep' }).click();
    await field('Num steps').fill('2, 5000');
    await stage.page.keyboard.press('Tab');
    await stage.page.getByText('Num steps 5000 must be at most 1000').waitFor();
    await field('Num steps').fill('2, 3');
    await stage.page.locator('[data-field="seed"]').getByRole('button', { name: 'Sweep' }).click();
    await field('Seed').fill('1..3');
    await stage.page.getByRole('button', { name: 'Submit 6 jobs' }).click();
    await stage.page.getByText('6 jobs queued: 3–8').waitFor();
    const last = await daemon.job(8);
    expect(last.name).toBe('num_steps=3 seed=3');
    expect(last.params).toMatchObject({ prompt_ids: ['ps_1', 'ps_2'], num_steps: 3, seed: 3, weights: { vis: 1, edge: 0.25 } });
  });

  it('shows the problems that only the daemon finds', async () => {
    await stage.go('/submit/upscale');
    await field('Source').fill('/no/such/picture.jpg');
    await stage.page.getByText('When and where it starts').click();
    await field('Needs jobs').fill('4711');
    await field('Runs on').fill('device=cpu, node=nowhere');
    await stage.page.getByRole('button', { name: 'Submit job' }).click();
    await stage.page.getByRole('alert').getByText(/4711/).first().waitFor();
    await stage.page.getByRole('alert').getByText(/node=nowhere/).first().waitFor();
  });

  it('says why a job failed', async () => {
    const id = await daemon.submit('train', { dataset: 'cats', steps: 4, fail_at: 2 });
    await daemon.waitFor(id, 'failed');
    await stage.go(`/jobs/${id}`);
    await stage.page.locator('.failure').getByText('ended with status 1').waitFor();
    await stage.page.getByRole('log').getByText('the loss is no number any more').waitFor();
  });

  it('shows pictures as they come, and one large', async (context) => {
    const answer = await fetch(`${daemon.address}/api/v1/jobs/1/artifacts`, { headers: { Authorization: `Bearer ${daemon.token}` } });
    if (!answer.ok) return context.skip('this daemon does not serve files');
    const id = await daemon.submitGated('pictures');
    await stage.go(`/jobs/${id}`);
    const picture = stage.page.getByRole('img', { name: 'samples/step-00004.png' });
    await picture.waitFor();
    daemon.openGate('pictures');
    await stage.page.getByRole('img', { name: 'samples/step-00008.png' }).waitFor();
    await until('it is drawn', () => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth === 192));
    await stage.page.getByRole('button', { name: 'Look at samples/step-00008.png' }).click();
    await stage.page.getByRole('dialog').getByText('1 of').waitFor();
    await stage.page.keyboard.press('ArrowRight');
    await stage.page.getByRole('dialog').getByText('2 of').waitFor();
    await stage.page.keyboard.press('Escape');
    await stage.page.getByRole('dialog').waitFor({ state: 'detached' });
    const [file] = await Promise.all([stage.page.waitForEvent('download'), stage.page.getByRole('link', { name: 'Download samples/step-00008.png' }).click()]);
    expect(file.suggestedFilename()).toBe('step-00008.png');
  });

  it('notifies when a job ends, if it was asked to', async () => {
    const { page, context } = await openPage(stage.browser);
    // What the browser shows outside of its window cannot be seen from here: what it was told to show can.
    await page.addInitScript(() => {
      const told: string[] = [];
      class Recorded {
        static permission = 'default';
        static async requestPermission() {
          return (Recorded.permission = 'granted');
        }
        constructor(title: string) {
          told.push(title);
        }
        close() {}
      }
      Object.assign(window, { Notification: Recorded, told });
    });
    const told = () => page.evaluate(() => (window as unknown as { told: string[] }).told);
    await page.goto(stage.site.entrance);
    const silent = await daemon.submitGated('silent', { name: 'nobody asked' });
    await page.locator(`[data-job="${silent}"]`).waitFor();
    daemon.openGate('silent');
    await page.locator(`[data-job="${silent}"]`).waitFor({ state: 'detached' });
    expect(await told()).toEqual([]);
    await page.getByRole('button', { name: 'Notify me when jobs end' }).click();
    const id = await daemon.submitGated('bell', { name: 'the long one' });
    await page.locator(`[data-job="${id}"]`).waitFor();
    // What had ended before must have been seen first. The page asks anew now and then, also where all has been told to it already.
    await page.waitForResponse((answer) => answer.url().includes('/api/v1/'), { timeout: 30_000 });
    daemon.openGate('bell');
    await until('it was told', async () => (await told()).join() === 'the long one completed');
    await context.close();
  });

  it('enlarges a picture', async (context) => {
    const photo = join(process.env['FERRY_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ferry'), 'media', 'flower.jpg');
    if (!existsSync(photo)) return context.skip('the media of the demo are not there (scripts/setup fetches them)');
    await stage.go('/submit/upscale');
    await field('Source').fill(photo);
    await field('Control weight').fill('0');
    await stage.page.getByRole('button', { name: 'Submit job' }).click();
    await stage.page.locator('.accepted a').first().click();
    await stage.page.locator('header .status', { hasText: 'completed' }).waitFor({ timeout: 40_000 });
    await stage.page.getByText(/upscaled\.png/).first().waitFor();
  });
});
