// The browser of the tests: Debian's chromium; nothing is downloaded.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const program = process.env['FERRY_CHROMIUM'] || '/usr/bin/chromium';
export const hasBrowser = existsSync(program);
if (!hasBrowser) console.warn('there is no chromium (scripts/setup installs it): the tests with a browser are left out');

const pictures = process.env['FERRY_PAGE_PICTURES'] ?? fileURLToPath(new URL('../../../../build/dev/web/pictures', import.meta.url));
const axeSource = readFileSync(fileURLToPath(new URL('../../../../web/node_modules/axe-core/axe.min.js', import.meta.url)), 'utf8');

export async function launch(): Promise<Browser> {
  // --no-sandbox: the tests may run as root, and visit only pages of their own.
  return chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}

export interface Look {
  width: number;
  scheme: 'light' | 'dark';
}

// A window with its faults collected: an error on the page fails the test that looks.
export async function openPage(browser: Browser, look: Look = { width: 1280, scheme: 'light' }): Promise<{ page: Page; context: BrowserContext; faults: string[] }> {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.width < 500 ? 844 : 800 },
    colorScheme: look.scheme,
    hasTouch: look.width < 500,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(8_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) faults.push(message.text());
  });
  return { page, context, faults };
}

// Whose access the window has: its next page is opened with this token.
export async function useToken(context: BrowserContext, address: string, token: string): Promise<void> {
  await context.addCookies([{ name: 'ferry_token', value: token, url: address }]);
}

export async function takePicture(page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

interface AxeResult {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
}

const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

// What of WCAG 2.2 AA the page breaks, as lines to read; with `rules`, only those are looked at.
export async function breaches(page: Page, rules: string[] = wcag): Promise<string[]> {
  await page.evaluate(axeSource);
  const result = (await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations'] })`)) as AxeResult;
  return result.violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
}
