// Opens every report of a folder in a real browser, as S3 would serve it: in both colour schemes, at a desk's and a phone's width, and as
// it is printed. Says what is wrong, and fails. Before that it shows that it notices what can be wrong.
//
//     node check.mjs PAGES [PICTURES]
//
// With a second folder it puts pictures of all of that there.

import { createServer } from 'node:http';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [pages, pictures] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const VIEWS = [
  { name: 'light', colorScheme: 'light', width: 1100, height: 900 },
  { name: 'dark', colorScheme: 'dark', width: 1100, height: 900 },
  { name: 'phone', colorScheme: 'light', width: 360, height: 740 },
  { name: 'phone-dark', colorScheme: 'dark', width: 360, height: 740 },
  { name: 'print', colorScheme: 'dark', width: 700, height: 900, media: 'print' },
];

// What a page must not be: a change to a good one, and a word of the complaint.
const MUTATIONS = [
  ['a picture from elsewhere', (page) => page.replace('</main>', '<img alt="" src="/pixel.png"></main>'), 'img-src'],
  ['a script', (page) => page.replace('</main>', '<script>document.title = "x"</script></main>'), 'script-src'],
  ['a style that the policy does not know', (page) => page.replace('<style>', '<style>b{}'), 'style-src'],
  ['a style of an element', (page) => page.replace('<main>', '<main style="color:red">'), 'style-src'],
  ['a request that the policy allows', (page) => page.replace(/<meta http-equiv[^>]*>/, '').replace('href="data:,"', 'href="/icon.png"')
    .replace('</main>', '<img alt="" src="/pixel.png"></main>'), 'requests'],
  ['a line that is wider than the page', (page) => page.replace('</main>', `<svg width="900" height="9" aria-hidden="true"></svg></main>`), 'wider'],
  ['a picture without a text', (page) => page.replace('</main>', '<img src="data:,"></main>'), 'image-alt'],
  ['a link without a text', (page) => page.replace('</main>', '<a href="#log"></a></main>'), 'link-name'],
  ['an element that a text brought', (page) => page.replace('</main>', '<iframe title="x"></iframe></main>'), 'iframe'],
];

let served = '';
let requested = [];
const server = createServer((request, response) => {
  requested.push(request.url);
  if (request.url !== '/report.html') return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(served);
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const url = `http://127.0.0.1:${server.address().port}/report.html`;

// What runs in the page, as a person's tools would; the page's own policy stays in force.
const found = async (axeOptions) => {
  const told = await window.axe.run(document, axeOptions);
  const serious = told.violations.filter((it) => ['serious', 'critical'].includes(it.impact));
  return {
    axe: serious.map((it) => `${it.id}: ${it.help}: ${it.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(' | ')}`),
    wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    scrolls: [...document.querySelectorAll('main *')].filter((it) => it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 0
      && ['auto', 'scroll'].includes(getComputedStyle(it).overflowX)).length,
    foreign: [...document.querySelectorAll('script, img, iframe, object, embed, form, input, a, base, link:not([href="data:,"])')]
      .map((it) => it.localName),
    handlers: [...document.querySelectorAll('*')].flatMap((it) => it.getAttributeNames()).filter((it) => it.startsWith('on')),
    background: getComputedStyle(document.body).backgroundColor,
    styled: getComputedStyle(document.querySelector('.badge')).display,
    headings: [...document.querySelectorAll('h1, h2, h3')].map((it) => it.textContent.trim()),
  };
};

async function look(browser, html, view, picture) {
  const complaints = [];
  const { colorScheme, width, height, media } = view;
  const context = await browser.newContext({ colorScheme, viewport: { width, height } });
  const page = await context.newPage();
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  [served, requested] = [html, []];
  await page.goto(url);
  if (media) await page.emulateMedia({ media, colorScheme });
  await page.evaluate(axe);
  const told = await page.evaluate(found, { resultTypes: ['violations'] });
  if (requested.length !== 1) complaints.push(`requests: ${requested.join(', ')}`);
  complaints.push(...told.axe);
  if (told.wider > 0) complaints.push(`${told.wider} pixels wider than the page`);
  if (told.scrolls > 0) complaints.push(`${told.scrolls} parts scroll sideways`);
  if (told.foreign.length) complaints.push(`elements that do not belong there: ${told.foreign.join(', ')}`);
  if (told.handlers.length) complaints.push(`handlers: ${told.handlers.join(', ')}`);
  if (told.styled !== 'inline-block') complaints.push('the style is not in force');
  if (told.headings.some((heading) => !heading)) complaints.push('a heading without a text');
  const isDark = told.background !== 'rgb(255, 255, 255)';
  if (isDark !== (colorScheme === 'dark' && media !== 'print')) complaints.push(`the page's colour is ${told.background}`);
  if (picture) await page.screenshot({ path: picture, fullPage: true });
  if (picture && media) await writeFile(picture.replace('.png', '.pdf'), await page.pdf({ format: 'A4', margin: { top: '1cm', bottom: '1cm', left: '1cm', right: '1cm' } }));
  await context.close();
  return complaints;
}

const executablePath = process.env.CHROMIUM;
// Root may not use Chromium's sandbox; what is opened is this project's own.
const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
const files = (await readdir(pages)).filter((name) => name.endsWith('.html')).sort();
let [passed, failed] = [0, 0];
const judge = (name, complaints) => {
  complaints.length ? (failed += 1) : (passed += 1);
  for (const complaint of complaints) console.log(`${name}: ${complaint}`);
};

if (!files.length) throw new Error(`no reports in ${pages}`);
if (pictures) await mkdir(pictures, { recursive: true });
const good = await readFile(join(pages, files[0]), 'utf8');
for (const [name, mutate, word] of MUTATIONS) {
  const mutated = mutate(good);
  const complaints = await look(browser, mutated, VIEWS[2]);
  const noticed = mutated !== good && complaints.some((it) => it.includes(word));
  judge(`${name} goes unnoticed`, noticed ? [] : [`expected ${word}, found ${JSON.stringify(complaints)}`]);
}
for (const file of files) {
  const html = await readFile(join(pages, file), 'utf8');
  for (const view of VIEWS) {
    const picture = pictures && join(pictures, file.replace('.html', `-${view.name}.png`));
    judge(`${file}, ${view.name}`, await look(browser, html, view, picture));
  }
}
await browser.close();
server.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
