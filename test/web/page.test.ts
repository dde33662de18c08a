// SPDX-License-Identifier: Apache-2.0
// The page as people use it, in Chromium: a good ADD, one that fails, a recording, a wrong
// configuration, the keyboard alone, links of others. Nothing may leave the page.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { modelOf } from '../../host-node/picture/model.ts';
import { wordsOf } from '../../host-node/picture/svg.ts';
import { CONF_DIR, plainNode, withConfig } from '../../host-node/story/node.ts';
import { perform } from '../../web/engine.ts';
import { EXAMPLES } from '../../web/examples.ts';
import { fragmentOf } from '../../web/share.ts';
import { firstStep, fixtureNamed, tape } from '../recording/taped.ts';
import { needsChromium } from '../support/needs.ts';
import { distPath, wasmModule } from '../support/wasm.ts';
import { launch, type Opened, openPage, picture } from './browser.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Of the whole page, compressed as a server does. */
const LIMIT_BYTES = 350_000;
const PAINT_LIMIT_MS = 1000;
const TEN_MB = 10_000_000;

const modules = () => ({
  core: wasmModule('core'),
  tools: wasmModule('tools'),
  sim: wasmModule('sim'),
});
const BRIDGE = EXAMPLES[0]!;
const WANTED = { command: 'add', network: 'pods', pod: 'pod1', ifname: 'eth0' } as const;
const asked = { ...WANTED, capabilities: JSON.parse(BRIDGE.capabilities ?? '{}') };
const ground = withConfig(plainNode(['pod1']), BRIDGE.text);

/** The picture in words, as the page has it. */
const shown = (page: Page) => page.locator('.picture svg desc').textContent();
const click = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const status = (page: Page) => page.locator('.outcome').first().innerText();

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Network configuration' }).focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

describe.skipIf(needsChromium !== '')(`Chromium ${needsChromium}`, () => {
  let browser: Browser;
  let opened: Opened;
  beforeAll(async () => {
    browser = await launch();
  });
  beforeEach(async () => {
    opened = await openPage(browser);
  });
  afterEach(async () => {
    const { page, trouble } = opened;
    await page.context().close();
    expect(trouble).toEqual([]);
  });
  afterAll(() => browser.close());

  test('a good ADD is gone through forth and back, and taken away by DEL', async () => {
    const { page } = opened;
    const done = perform(modules(), ground, asked);
    expect(await shown(page)).toBe(wordsOf(modelOf(plainNode(['pod1']))));
    await click(page, 'ADD');
    expect(await status(page)).toContain('ADD pod1 is done');
    expect(await shown(page)).toBe(wordsOf(modelOf(done.after)));
    const changes = done.steps.filter((step) => step.changes);
    for (let back = changes.length - 1; back >= 0; back--) {
      await click(page, 'One step back');
      const state = changes[back - 1]?.state ?? done.before;
      expect(await shown(page)).toBe(wordsOf(modelOf(state)));
    }
    await click(page, 'To the end');
    expect(await shown(page)).toBe(wordsOf(modelOf(done.after)));
    await click(page, 'CHECK');
    expect(await status(page)).toContain('CHECK pod1 is done');
    await click(page, 'DEL');
    expect(await status(page)).toContain('DEL pod1 is done');
    expect(await shown(page)).toContain('pod1: no links');
    await click(page, 'ADD pod1, done');
    expect(await shown(page)).toBe(wordsOf(modelOf(done.after)));
  });

  test('an operation that is let fail takes all before it back', async () => {
    const { page } = opened;
    await click(page, 'ADD');
    await page.getByRole('button', { name: /ip -n pod1 link set dev eth0 up/ }).click();
    await click(page, 'Let it fail');
    const said = await status(page);
    expect(said).toContain('ADD pod1 failed with CNI error');
    expect(said).toContain('All that it did to the kernel was taken back');
    expect(said).toContain('last_reserved_ip.0');
    const item = page.locator('.steps li.failed');
    expect(await item.innerText()).toContain('EIO');
    expect(await shown(page)).toContain('10.1.2.2/24');
    await click(page, 'To the end');
    expect(await shown(page)).toBe(wordsOf(modelOf(plainNode(['pod1']))));
    await picture(opened, 'failed');
    await click(page, 'Without the fault');
    expect(await status(page)).toContain('ADD pod1 is done');
  });

  test('each step has its reasons beside it, and the picture has nftables in numbers', async () => {
    const { page } = opened;
    await click(page, 'ADD');
    const item = (words: RegExp) => page.locator('.steps li').filter({ hasText: words });
    const lease = item(/networks\/pods\/10\.1\.2\.2/).first();
    expect(await lease.locator('.because').allInnerTexts()).toEqual([
      'the lease: nobody else gets this address',
    ]);
    // Said once it is the container's: beside what is done next.
    const next = item(/last_reserved_ip/).first();
    expect(await next.locator('.because').allInnerTexts()).toEqual([
      expect.stringMatching(/^address: 10\.1\.2\.2: the next free one of /),
      'the next container gets the one after it',
    ]);
    const pair = item(/type veth/).first();
    expect(await pair.locator('.because').last().innerText()).toBe(
      'the pair that joins the node and the container',
    );
    expect(await page.locator('.picture svg').innerHTML()).toContain('nftables of ours: ');
  });

  test('a recorded operation is let fail, and all that differs can be read', async () => {
    const { page } = opened;
    const { text } = tape(firstStep(fixtureNamed('bridge/dual-stack')));
    await click(page, 'Recording');
    const buffer = Buffer.from(text);
    const input = page.getByLabel('A recording of a call');
    await input.setInputFiles({ name: 'a.jsonl', mimeType: 'application/x-ndjson', buffer });
    await page.getByText('the same answer to the byte').waitFor();
    await page
      .getByRole('button', { name: /link_set_up\(/ })
      .first()
      .click();
    await page.getByLabel('fail with').selectOption('ENOSPC');
    await click(page, 'Let it fail');
    const said = await page.locator('.fault').innerText();
    expect(said).toMatch(/^With operation \d+ failing \(ENOSPC\), simulated: CNI error \d+: /);
    expect(said).toMatch(/taken back|other than before/);
    expect(await shown(page)).not.toContain('10.1.2.2/24');
    await picture(opened, 'recording-failed');
    await click(page, 'Without the fault');
    expect(await page.locator('.fault').count()).toBe(0);
    await page.getByRole('slider').fill(String(text.trimEnd().split('\n').length - 2));
    expect(await shown(page)).toContain('10.1.2.2/24');
    // A failure that does no harm: the call is done, and all that it made is listed.
    await page
      .getByRole('button', { name: /sysctl_write\(.*arp_notify/ })
      .first()
      .click();
    await click(page, 'Let it fail');
    expect(await page.locator('.fault').innerText()).toContain('the call is done all the same');
    const more = page.locator('.fault summary');
    const number = Number((await more.innerText()).replace(' more', ''));
    expect(number).toBeGreaterThan(0);
    await more.click();
    expect(await page.locator('.fault li').count()).toBe(12 + number);
    expect(await page.locator('.fault details li').last().isVisible()).toBe(true);
  });

  test('what is wrong stands there while one types, with its place', async () => {
    const { page } = opened;
    const wrong = '{\n  "cniVersion": "1.1.0",\n  "name": "😀", "plugins": [{"type": "bridg"}]\n}';
    await write(page, wrong);
    const problem = page.locator('.problems button').first();
    await problem.waitFor();
    expect(await problem.innerText()).toMatch(/^3:\d+ error: .*name/);
    await problem.click();
    const diagnostics = page.locator('.cm-lintRange-error');
    expect(await diagnostics.count()).toBeGreaterThan(0);
    await write(page, '{ "name": ');
    await page.getByText(/^1:11 error: /).waitFor();
    await click(page, 'ADD');
    expect(await page.getByRole('alert').innerText()).toContain('has no name');
  });

  test('a second pod, and what it may not have', async () => {
    const { page } = opened;
    await click(page, 'ADD');
    await click(page, 'ADD');
    expect(await status(page)).toContain('ADD pod1 failed');
    await page.getByLabel('Pod', { exact: true }).selectOption('pod2');
    await click(page, 'ADD');
    expect(await status(page)).toContain('ADD pod2 is done');
    expect(await shown(page)).toContain('10.1.2.3/24');
  });

  test('a recording is replayed to the byte, gone through, and told where it parts', async () => {
    const { page } = opened;
    const { text } = tape(firstStep(fixtureNamed('bridge/dual-stack')));
    const file = (name: string, content: string) => ({
      name,
      mimeType: 'application/x-ndjson',
      buffer: Buffer.from(content),
    });
    await click(page, 'Recording');
    const input = page.getByLabel('A recording of a call');
    const says = async (name: string, content: string, words: string | RegExp): Promise<void> => {
      await input.setInputFiles(file(name, content));
      await page.getByText(words).waitFor();
    };
    await says('good.jsonl', text, 'the same answer to the byte');
    expect(await shown(page)).toContain('10.1.2.2/24');
    await picture(opened, 'recording');
    await page.getByRole('slider').fill('0');
    expect(await shown(page)).toBe('node: no links');
    const lines = text.trimEnd().split('\n');
    await says('cut.jsonl', lines.slice(0, 30).join('\n').slice(0, -5), 'was cut off');
    const edited = text.replaceAll('10.1.2.2', '10.1.2.7');
    await says('edited.jsonl', edited, 'parted from the recording');
    const old = text.replace('"fairlead_recording":1', '"fairlead_recording":2');
    await says('old.jsonl', old, 'a recording of form 2');
    const torn = [...lines.slice(0, 9), '{', ...lines.slice(9)].join('\n');
    await says('torn.jsonl', torn, 'line 10 is not JSON');
    await says('none.jsonl', '[1]', 'line 1 is no object');
  });

  test('the MTU calculator says what the core says', async () => {
    const { page } = opened;
    await click(page, 'MTU');
    await page.getByLabel('Encapsulations').fill('wireguard vxlan');
    expect(await page.getByRole('status').last().innerText()).toContain('MTU 1390');
    await page.getByLabel('pods have IPv6').check();
    await page.getByLabel('MTU of the underlay').fill('1300');
    expect(await page.getByRole('status').last().innerText()).toContain('IPv6 needs 1280');
    const row = page.getByRole('row', { name: /^geneve / });
    expect(await row.innerText()).toMatch(/1250\s+1230/);
    await picture(opened, 'mtu');
  });

  test('shared by its address; the calls of a link wait for a click', async () => {
    const { page, trouble } = opened;
    await click(page, 'ADD');
    await click(page, 'Share');
    await page.getByText('keys in it too').waitFor();
    const { hash } = new URL(page.url());
    const other = await openPage(browser, { fragment: hash });
    await other.page.getByText('This link brought').waitFor();
    expect(await shown(other.page)).toBe(wordsOf(modelOf(plainNode(['pod1']))));
    await click(other.page, 'Run them');
    expect(await status(other.page)).toContain('ADD pod1 is done');
    trouble.push(...other.trouble);
    await other.page.context().close();
  });

  test('hostile links and texts do nothing', async () => {
    const script = '<img src=x onerror=alert(1)><script>alert(1)</script>';
    const conf = JSON.stringify({ cniVersion: '1.1.0', name: 'n', plugins: [{ type: script }] });
    const bomb = await fragmentOf({ conf: 'x'.repeat(200_000), calls: [] });
    const links: [string, RegExp][] = [
      ['#javascript:alert(1)', /not one of this page/],
      ['#1.AAAA', /damaged/],
      [`#1.${'A'.repeat(200_000)}`, /too long/],
      [bomb.slice(0, -20), /damaged/],
      [await fragmentOf({ conf, calls: [{ command: 'rm', pod: 'pod1' } as never] }), /command/],
      [await fragmentOf({ conf, calls: [{ command: 'add', pod: script }] }), /pod/],
    ];
    for (const [fragment, why] of links) {
      const { page, trouble } = await openPage(browser, { fragment });
      await page.getByRole('alert').filter({ hasText: why }).waitFor();
      expect(trouble).toEqual([]);
      await page.context().close();
    }
    const { page } = opened;
    await page.evaluate(
      (hash) => {
        location.hash = hash;
      },
      await fragmentOf({ conf, calls: [] }),
    );
    await page.locator('.problems').getByText('onerror').first().waitFor();
    await click(page, 'ADD');
    expect(await status(page)).toContain('failed');
    expect(await page.locator('img, iframe, object').count()).toBe(0);
  });

  test('10 MB of JSON are refused in words', async () => {
    const { page } = opened;
    const large = `{"name": "n", "plugins": [${'{},'.repeat(TEN_MB / 3)}{}]}`;
    const buffer = Buffer.from(large);
    await page
      .getByLabel('Open')
      .setInputFiles({ name: 'large.conflist', mimeType: 'application/json', buffer });
    expect(await page.getByRole('alert').innerText()).toContain('up to 256 KiB');
    await page.evaluate((text) => navigator.clipboard?.writeText(text).catch(() => {}), 'x');
    await write(page, ' '.repeat(300_000));
    await page.getByText('300000 bytes: this page takes').first().waitFor();
    await click(page, 'ADD');
    expect(await page.locator('.outcome').count()).toBe(0);
  });

  test('the keyboard alone will do', async () => {
    const { page } = opened;
    await page.getByLabel('Pod', { exact: true }).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await status(page)).toContain('ADD pod1 is done');
    await page.getByRole('slider', { name: 'Step' }).focus();
    await page.keyboard.press('Home');
    expect(await shown(page)).toBe(wordsOf(modelOf(plainNode(['pod1']))));
    await page.keyboard.press('End');
    expect(await shown(page)).toContain('10.1.2.2/24');
    // What browsers do by themselves in a text works in the editor, too.
    await write(page, '{ "name": "n" }');
    for (const key of ['Home', 'Delete', 'End', 'Backspace', 'Enter', 'x', 'ArrowLeft', 'y']) {
      await page.keyboard.press(key);
    }
    const textbox = page.getByRole('textbox', { name: 'Network configuration' });
    expect((await textbox.innerText()).split('\n')).toEqual([' "name": "n" ', ' yx']);
    await page.keyboard.press('Control+z');
    expect(await textbox.innerText()).not.toContain('y');
    // Tab leaves the editor.
    await page.getByRole('textbox', { name: 'Network configuration' }).focus();
    await page.keyboard.press('Tab');
    const editing = await page.evaluate(() => document.activeElement?.className ?? '');
    expect(editing).not.toBe('editor');
  });

  test.each([
    ['wide', 1440, false],
    ['middle', 1024, true],
    ['narrow', 390, false],
  ] as const)('%s', async (name, width, dark) => {
    const look = await openPage(browser, { width, dark });
    await click(look.page, 'ADD');
    await picture(look, name);
    const overflow = await look.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
    expect(look.trouble).toEqual([]);
    await look.page.context().close();
  });

  test('it is painted within a second', async () => {
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { page } = await openPage(browser);
      times.push(
        await page.evaluate(
          () => performance.getEntriesByName('first-contentful-paint')[0]!.startTime,
        ),
      );
      await page.context().close();
    }
    expect(Math.min(...times)).toBeLessThan(PAINT_LIMIT_MS);
  });

  describe('npm run web', () => {
    let server: ChildProcess;
    afterEach(() => server.kill());

    test('serves the page to this machine, and nothing else', async () => {
      server = spawn(process.execPath, ['scripts/web.mjs', '--port', '0'], { cwd: ROOT });
      const url = await new Promise<string>((resolve, reject) => {
        server.stdout?.on('data', (data) => {
          const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(String(data))?.[0];
          if (found !== undefined) resolve(found);
        });
        server.on('exit', (code) => reject(new Error(`npm run web ended with ${code}`)));
      });
      const { page, trouble } = await openPage(browser, { url });
      await click(page, 'ADD');
      expect(await status(page)).toContain('ADD pod1 is done');
      expect(trouble).toEqual([]);
      await page.context().close();
      expect((await fetch(`${url}../../etc/passwd`)).status).toBe(404);
      expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    });
  });
});

describe('the file', () => {
  const html = () => readFileSync(distPath('fairlead.html'));

  test('is small enough, compressed', () => {
    expect(brotliCompressSync(html()).length).toBeLessThanOrEqual(LIMIT_BYTES);
  });

  test('asks for nothing from elsewhere, and may not', () => {
    const text = html().toString();
    expect(text).toContain("default-src 'none'");
    expect(text).not.toContain('unsafe-inline');
    expect(text).not.toMatch(/(src|href)="(?!data:)/);
  });
});

test.each(EXAMPLES)('the example attaches: $name', ({ text, capabilities = '{}' }) => {
  const { name } = JSON.parse(text) as { name: string };
  const state = withConfig(plainNode(['pod1']), text);
  expect(state).toContain(`file ${CONF_DIR}/`);
  const call = { ...WANTED, network: name };
  const given = capabilities === '{}' ? call : { ...call, capabilities: JSON.parse(capabilities) };
  const done = perform(modules(), state, given);
  expect(done.answer).toMatchObject({ exit_code: 0 });
  const gone = perform(modules(), `complete\n${done.after}`, { ...call, command: 'del' });
  expect(gone.answer).toMatchObject({ exit_code: 0 });
  expect(modelOf(gone.after).spaces[1]).toMatchObject({ links: [{ name: 'lo' }] });
});
