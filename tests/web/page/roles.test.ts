// What an access does not allow is not offered, or stands there with the reason; what it allows works.
import type { BrowserContext, Page } from 'playwright-core';
import { breaches, hasBrowser, openPage, takePicture, useToken } from './support/browser';
import { setStage } from './support/stage';
import { patience, until } from './support/until';

describe.skipIf(!hasBrowser)('access', () => {
  const stage = setStage(1);
  const { daemon } = stage;
  let running = 0;
  let hers = 0;
  let page: Page;
  let context: BrowserContext;
  let faults: string[];
  const tokens = new Map<string, string>();
  const row = (id: number) => page.locator(`[data-job="${id}"]`);
  const openMenu = (id: number) => row(id).getByRole('button', { name: `Actions for job ${id}` }).click();
  const offered = () => page.getByRole('menu').getByRole('menuitem').allInnerTexts();

  async function enter(name: string, role: string): Promise<void> {
    // Told once; a second try of a test needs it again.
    const token = tokens.get(name) ?? (await daemon.request<{ token: string }>('/tokens', { name, role })).token;
    tokens.set(name, token);
    ({ page, context, faults } = await openPage(stage.browser));
    await useToken(context, stage.site.address, token);
    await page.goto(stage.site.address + '/queue');
    await row(running).waitFor();
  }

  beforeAll(async () => {
    running = await daemon.submitGated('gate', { name: 'of the owner' });
    hers = await daemon.submitGated('gate', { name: 'of ada', user: 'ada' });
    await daemon.request('/datasets', { name: 'cats' });
  });
  afterEach(async () => {
    expect(faults).toEqual([]);
    await context.close();
  });

  it('to look only changes nothing, and says so', async () => {
    await enter('guest', 'read');
    await page.getByText('read only').waitFor();
    const pause = page.getByRole('button', { name: 'Pause queue' });
    await expect.poll(() => pause.isDisabled(), patience).toBe(true);
    await expect.poll(() => pause.getAttribute('title'), patience).toBe('Needs the role admin');
    expect(await page.locator('.toolbar a', { hasText: 'Submit' }).count()).toBe(0);
    await openMenu(running);
    await expect.poll(() => offered(), patience).toEqual(['Open']);
    await page.getByRole('menu').getByText('Your access may look only').waitFor();
    await takePicture(page, 'read_only_1280_light');
    expect(await breaches(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await row(hers).focus();
    await page.keyboard.press('Delete');
    await page.getByText(`Job ${hers} was not cancelled`).waitFor();
    expect((await daemon.job(hers)).status).toBe('queued');
    await page.goto(`${stage.site.address}/jobs/${running}`);
    await page.locator('.actions').getByText('Your access may look only').waitFor();
    expect(await page.locator('.actions button, .actions a').count()).toBe(0);
    await page.goto(`${stage.site.address}/datasets/cats`);
    await page.getByText('It is empty').waitFor();
    for (const what of [page.getByRole('button', { name: /^Delete/ }), page.getByRole('button', { name: 'Choose a folder' }), page.getByRole('link', { name: /^Use in/ })])
      await expect.poll(() => what.count(), patience).toBe(0);
    await page.goto(`${stage.site.address}/submit/train`);
    await page.getByRole('heading', { name: 'Your access may look only' }).waitFor();
    expect(await page.getByRole('button', { name: /Submit/ }).count()).toBe(0);
  });

  it('to submit changes only jobs of its own', async () => {
    await enter('ada', 'submit');
    await openMenu(hers);
    await page.getByRole('menuitem', { name: 'Hold' }).click();
    await until('it is held', async () => (await daemon.job(hers)).held);
    await openMenu(running);
    await expect.poll(() => offered(), patience).toEqual(['Open', 'Run again with changes']);
    await page.getByRole('menu').getByText('your access may change your own jobs').waitFor();
    await page.keyboard.press('Escape');
    for (const id of [running, hers]) await row(id).getByRole('checkbox').click();
    const bar = page.getByRole('toolbar', { name: 'Selected jobs' });
    await bar.getByText('1 job of them yours to change').waitFor();
    await bar.getByRole('button', { name: 'Release' }).click();
    await until('it is released', async () => !(await daemon.job(hers)).held);
    await expect.poll(() => page.getByRole('button', { name: 'Pause queue' }).isDisabled(), patience).toBe(true);
    await page.goto(`${stage.site.address}/submit/command`);
    await page.getByRole('button', { name: 'Submit job' }).waitFor();
    await page.goto(`${stage.site.address}/datasets/cats`);
    await page.getByRole('button', { name: /^Delete/ }).waitFor();
    await page.getByRole('button', { name: 'Choose a folder' }).waitFor();
  });
});
