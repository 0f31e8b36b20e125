// What holds on every page: accessible in light and dark, fits a phone, survives the daemon's restart, says when it is away;
// and a queue of thousands stays quick.
import { breaches, hasBrowser, openPage, takePicture } from './support/browser';
import { setStage } from './support/stage';
import { until } from './support/until';

describe.skipIf(!hasBrowser)('every page', () => {
  const stage = setStage();
  const { daemon } = stage;
  let running = 0;

  beforeAll(async () => {
    for (const more of [{}, { fail_at: 3 }]) await daemon.submit('train', { dataset: 'cats', steps: 4, ...more }, { name: 'an earlier training' });
    running = await daemon.submitGated('gate', { name: 'cats LoRA, rank 64' });
    await until('it stands at its gate', async () => (await daemon.job(running)).progress.step === 4);
    await daemon.submitGated('gate', { name: 'harbour style' });
    for (let i = 1; i <= 6; i += 1) await daemon.submit('inference', { prompt_ids: ['ps_1'] }, { name: `night market ${i}` });
    await daemon.submit('command', { argv: ['true'] }, { name: 'nightly backup', held: true });
  });

  for (const width of [1280, 390])
    it(`keeps WCAG AA in light and dark and fits at ${width} px`, async () => {
      const { page, context, faults } = await openPage(stage.browser, { width, scheme: 'light' });
      await page.goto(stage.site.entrance);
      const places: [string, string, string][] = [
        ['queue', '/queue', '[data-job]'],
        ['finished', '/queue?view=finished', '[data-job]'],
        ['job', `/jobs/${running}`, 'header .status'],
        ['waiting', `/jobs/${running + 4}`, 'section[aria-label="Why it waits"] li'],
        ['submit', '/submit/train', '[data-field]'],
        ['submit_weights', '/submit/inference', '[data-field]'],
        ['devices', '/devices', 'article'],
        ['analytics', '/analytics', 'dl.figures'],
        ['datasets', '/datasets', 'main h1, main h2'],
        ['unknown', '/nothing/here', 'main h2'],
      ];
      const found: string[] = [];
      for (const [name, path, ready] of places) {
        await page.goto(stage.site.address + path);
        await page.locator(ready).first().waitFor();
        for (const breach of await breaches(page)) found.push(`${name}: ${breach}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > width) found.push(`${name}: is ${wide} px wide`);
        await takePicture(page, `${name}_${width}_light`);
        // Dark differs in nothing but colours.
        await page.emulateMedia({ colorScheme: 'dark' });
        for (const breach of await breaches(page, ['color-contrast'])) found.push(`${name}, dark: ${breach}`);
        await takePicture(page, `${name}_${width}_dark`);
        await page.emulateMedia({ colorScheme: 'light' });
      }
      await context.close();
      expect(found).toEqual([]);
      expect(faults).toEqual([]);
    });

  it('wraps long names and reasons on a phone', async () => {
    const name = 'portraits of the whole crew at dusk, second attempt';
    const id = await daemon.submit('command', { argv: ['true'] }, { name, needs: [running] });
    const { page, context } = await openPage(stage.browser, { width: 390, scheme: 'light' });
    await page.goto(stage.site.entrance);
    const row = page.locator(`[data-job="${id}"]`);
    await row.scrollIntoViewIfNeeded();
    for (const cell of ['.title a', '.expected']) {
      const cut = await row.locator(cell).evaluate((one) => [one.scrollHeight - one.clientHeight, one.scrollWidth - one.clientWidth]);
      expect(cut, cell).toEqual([0, 0]);
    }
    const lines = await row.locator('.title a').evaluate((one) => Math.round(one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).lineHeight)));
    expect(lines).toBe(2);
    await takePicture(page, 'long_390_light');
    await daemon.request(`/jobs/${id}/cancel`, {});
    await context.close();
  });

  it('is used by keyboard alone from the first Tab on', async () => {
    await stage.go('/queue');
    await stage.page.locator('[data-job]').first().waitFor();
    await stage.page.keyboard.press('Tab');
    expect(await stage.page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
    await stage.page.locator('[data-job]').first().focus();
    await stage.page.keyboard.press('ArrowDown');
    await stage.page.keyboard.press('Enter');
    await stage.page.getByRole('heading', { level: 1, name: 'harbour style' }).waitFor();
    await stage.page.goBack();
    await stage.page.locator('[data-job]').first().waitFor();
  });

  it('says how to get access to who has none', async (context) => {
    if (!stage.site.byDaemon) return context.skip('this daemon does not serve the page');
    const { page, context: window, faults } = await openPage(stage.browser);
    await page.goto(stage.site.address + '/queue');
    await page.getByText('This browser has no access yet').waitFor();
    expect(await page.locator('[data-job]').count()).toBe(0);
    await page.goto(stage.site.entrance);
    await page.locator('[data-job]').first().waitFor();
    expect(page.url()).not.toContain('token');
    await window.close();
    expect(faults).toEqual([]);
  });

  it('says that the daemon is away, and goes on after its restart without a reload', async () => {
    await stage.go('/queue');
    await stage.page.locator(`[data-job="${running}"]`).waitFor();
    await stage.page.evaluate(() => ((window as { kept?: boolean }).kept = true));
    await daemon.stop();
    await stage.page.getByText('The daemon is away').waitFor();
    expect(await stage.page.locator(`[data-job="${running}"]`).isVisible()).toBe(true); // what was known stays
    const banner = await stage.page.locator('.away-banner').boundingBox();
    for (const part of ['.toolbar', '.heading', `[data-job="${running}"]`]) {
      const box = await stage.page.locator(part).boundingBox();
      expect(banner && box && box.y + box.height <= banner.y, `${part} is not covered`).toBe(true);
    }
    await takePicture(stage.page, 'away_1280_light');
    await daemon.start();
    await stage.page.getByText('The daemon is away').waitFor({ state: 'detached' });
    const id = await daemon.submit('command', { argv: ['true'] }, { name: 'after the restart', held: true });
    await stage.page.locator(`[data-job="${id}"]`).waitFor();
    expect(await stage.page.evaluate(() => (window as { kept?: boolean }).kept)).toBe(true);
  });

  it('draws only what is in sight of 10,000 jobs, and reaches the last', async () => {
    const many = 10_000;
    for (let sent = 0; sent < many; sent += 1_000)
      await daemon.request('/jobs', { jobs: Array.from({ length: 1_000 }, (_, i) => ({ type: 'command', params: { argv: ['true'] }, name: `many ${sent + i + 1}` })) });
    await stage.go('/queue');
    await stage.page.locator('[data-job]').first().waitFor();
    const rows = () => stage.page.locator('[role=row]').count();
    expect(await rows()).toBeLessThan(60);
    await stage.page.locator('[data-job]').first().focus();
    await stage.page.keyboard.press('End');
    const counts = (await daemon.request<{ counts: { queued: number; held: number; running: number } }>('/queue?limit=1')).counts;
    const last = await daemon.request<{ jobs: { id: number }[] }>(`/queue?limit=1&offset=${counts.queued + counts.held + counts.running - 1}`);
    await until('the last row has the focus', async () => (await stage.page.evaluate(() => document.activeElement?.getAttribute('data-job'))) === String(last.jobs[0]?.id));
    expect(await rows()).toBeLessThan(60);
    await stage.page.getByRole('searchbox', { name: 'Find jobs' }).fill('many 4321');
    await until('it is found', async () => (await stage.page.locator('[data-job]').count()) === 1);
  });
});
