// Everything that a page test stands on: a daemon, the page, a browser; set up before the first test of a file and taken
// down after the last.
import type { Browser, Page } from 'playwright-core';
import { launch, openPage } from './browser';
import { Daemon } from './daemon';
import { openSite, type Site } from './site';

export interface Stage {
  daemon: Daemon;
  site: Site;
  browser: Browser;
  page: Page;
  faults: string[];
  go: (path: string) => Promise<void>;
}

// prepare: what is to be there before the daemon is started.
export function setStage(slots = 2, prepare: (daemon: Daemon) => Promise<void> = async () => {}): Stage {
  const stage = { daemon: new Daemon() } as Stage;
  beforeAll(async () => {
    await prepare(stage.daemon);
    await stage.daemon.start(slots);
    stage.site = await openSite(stage.daemon);
    stage.browser = await launch();
    const { page, faults } = await openPage(stage.browser);
    stage.page = page;
    stage.faults = faults;
    await page.goto(stage.site.entrance);
    stage.go = async (path) => {
      await page.goto(stage.site.address + path);
    };
  });
  afterEach(() => {
    expect(stage.faults.splice(0), 'errors on the page').toEqual([]);
  });
  afterAll(async () => {
    await stage.browser?.close();
    await stage.site?.close();
    await stage.daemon.end();
  });
  return stage;
}
