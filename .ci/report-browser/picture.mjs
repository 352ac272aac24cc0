// Makes pictures for people to look at: of the upper part of a report, and of whatever else calls `picture`.
//
//     node picture.mjs REPORT SCHEME PICTURE

import { argv, env, getuid } from 'node:process';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

// Opens a file or a text in the browser, and takes a picture of one element, or of what a screen of this size shows.
export async function picture({ file, html, element, width = 920, height = 1180, scheme, path }) {
  const browser = await chromium.launch({ executablePath: env.CHROMIUM, args: getuid() === 0 ? ['--no-sandbox'] : [] });
  const page = await browser.newPage({ colorScheme: scheme, viewport: { width, height } });
  if (file) await page.goto(pathToFileURL(file).href);
  else await page.setContent(html);
  await (element ? page.locator(element) : page).screenshot({ path });
  await browser.close();
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  const [, , file, scheme, path] = argv;
  await picture({ file, scheme, path });
}
