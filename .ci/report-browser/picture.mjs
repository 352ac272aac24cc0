// A picture of the upper part of a report: node picture.mjs REPORT SCHEME PICTURE

import { chromium } from 'playwright-core';
import { pathToFileURL } from 'node:url';

const [report, colorScheme, path] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM;
const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
const page = await browser.newPage({ colorScheme, viewport: { width: 920, height: 1180 } });
await page.goto(pathToFileURL(report).href);
await page.screenshot({ path });
await browser.close();
