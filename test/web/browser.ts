// SPDX-License-Identifier: Apache-2.0
// The page in a real Chromium: what it says on its console, what it asks of the network and what
// its content security policy refuses is kept, and must be nothing.
import { mkdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { programPath } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';

/** Pictures of the page lie here after a run, for people to look at. */
const PICTURES = fileURLToPath(new URL('../../dist/screenshots/', import.meta.url));

export interface Opened {
  readonly page: Page;
  /** What went wrong so far; and what was asked of the network, but for the page itself. */
  readonly trouble: string[];
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly fragment?: string;
  readonly url?: string;
}

/** As root a browser has no sandbox. */
export function launch(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: programPath('chromium'), args });
}

export const pageUrl = (): string => pathToFileURL(distPath('fairlead.html')).href;

/** Opens the page and waits for the core. */
export async function openPage(browser: Browser, look: Look = {}): Promise<Opened> {
  const { width = 1440, height = 900, dark = false, fragment = '', url = pageUrl() } = look;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
  });
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('console', (message) => trouble.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('dialog', (dialog) => trouble.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url) trouble.push(`request: ${request.url()}`);
  });
  await page.goto(url + fragment);
  await page
    .getByRole('button', { name: 'ADD', exact: true })
    .and(page.locator(':enabled'))
    .waitFor();
  return { page, trouble };
}

export async function picture({ page }: Opened, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}${name}.png` });
}
