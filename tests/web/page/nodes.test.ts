// The devices of another machine: under its name, with its state, and drained, resumed and removed there.
import { breaches, hasBrowser, openPage, takePicture, useToken } from './support/browser';
import { LentMachine } from './support/node';
import { setStage } from './support/stage';
import { until } from './support/until';

interface Listed {
  name: string;
  connected: boolean;
  drained: boolean;
  runs: number[];
}

describe.skipIf(!hasBrowser)('a node', () => {
  let alpha: LentMachine;
  let token = ''; // told once; a second try of a test needs it again
  const stage = setStage(1, async (daemon) => {
    alpha = new LentMachine(daemon, 'alpha');
    await alpha.prepare();
  });
  const { daemon } = stage;
  const section = () => stage.page.getByRole('region', { name: 'alpha' });
  const listed = async () => (await daemon.request<{ nodes: Listed[] }>('/nodes')).nodes[0];

  afterAll(() => alpha.kill());

  it('comes with its devices under its name', async () => {
    await stage.go('/devices');
    await stage.page.getByRole('heading', { level: 2, name: 'cpu', exact: true }).waitFor();
    alpha.start();
    await section().getByText('connected', { exact: true }).waitFor();
    await section().getByRole('heading', { level: 3, name: 'alpha:cpu' }).waitFor();
    await section().getByText(/ferry \d+\.\d+/).waitFor();
    expect(await section().getByRole('button').allInnerTexts()).toEqual(['Drain']);
    expect(await breaches(stage.page)).toEqual([]);
    await takePicture(stage.page, 'nodes_1280_light');
  });

  it('is drained, and takes work again', async () => {
    await section().getByRole('button', { name: 'Drain' }).click();
    await section().getByText('Nothing new is started there.').waitFor();
    expect(await listed()).toMatchObject({ drained: true });
    await section().getByRole('button', { name: 'Resume' }).click();
    await section().getByText('connected', { exact: true }).waitFor();
    expect(await listed()).toMatchObject({ drained: false });
  });

  it('is changed only by the role admin, and fits on a phone', async () => {
    token ||= (await daemon.request<{ token: string }>('/tokens', { name: 'guest', role: 'read' })).token;
    const { page, context, faults } = await openPage(stage.browser, { width: 390, scheme: 'dark' });
    await useToken(context, stage.site.address, token);
    await page.goto(stage.site.address + '/devices');
    const drain = page.getByRole('region', { name: 'alpha' }).getByRole('button', { name: 'Drain' });
    await drain.and(page.getByTitle('Needs the role admin')).waitFor();
    expect(await drain.isDisabled()).toBe(true);
    expect(await breaches(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await takePicture(page, 'nodes_390_dark');
    await context.close();
    expect(faults).toEqual([]);
  });

  it('is removed once it is away, and what it may still run is given up only by a word more', async () => {
    for (const gate of ['one', 'two']) await daemon.submit('command', { argv: ['sh', '-c', `while [ ! -e ${daemon.folder}/${gate} ]; do sleep 0.1; done`] });
    await until('it runs something', async () => (await listed())?.runs.length === 1);
    await alpha.kill();
    await section().getByText(/^away/).waitFor();
    await section().getByText(/It may still run 1 batch/).waitFor();
    expect(await breaches(stage.page)).toEqual([]);
    await takePicture(stage.page, 'node_away_1280_light');
    await section().getByRole('button', { name: 'Remove' }).click();
    const dialog = stage.page.getByRole('dialog', { name: 'Remove alpha?' });
    const remove = dialog.getByRole('button', { name: 'Remove node' });
    expect(await remove.isDisabled()).toBe(true);
    expect(await breaches(stage.page)).toEqual([]);
    await takePicture(stage.page, 'node_remove_1280_light');
    await dialog.getByRole('checkbox').check();
    await remove.click();
    await section().waitFor({ state: 'detached' });
    expect(await listed()).toBeUndefined();
    await stage.page.getByRole('heading', { level: 2, name: 'cpu', exact: true }).waitFor();
    for (const gate of ['one', 'two']) daemon.openGate(gate);
  });
});
