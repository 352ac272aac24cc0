// A picture of what a terminal showed: node terminal.mjs TRANSCRIPT COLUMNS SCHEME PICTURE
//
// TRANSCRIPT is text with the styles that the command uses: bold, dim, and the eight colours of ANSI (ECMA-48, SGR). Anything else is refused,
// so that the picture is what a terminal would have shown.

import { readFile } from 'node:fs/promises';
import { picture } from './picture.mjs';

const [transcript, columns, scheme, path] = process.argv.slice(2);

const COLOURS = {
  light: { page: '#ffffff', text: '#1f2328', quiet: '#656d76', rule: '#d0d7de', ansi: ['#24292f', '#cf222e', '#116329', '#7d4e00', '#0969da', '#8250df', '#1b7c83', '#6e7781'] },
  dark: { page: '#0d1117', text: '#e6edf3', quiet: '#8b949e', rule: '#30363d', ansi: ['#484f58', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4'] },
}[scheme];

const escaped = (text) => text.replace(/[&<>]/g, (it) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[it]);

// Text with SGR sequences as HTML: a span for each run of a style.
function html(text) {
  let style = {};
  return text.split(/(\x1b\[[\d;]*m)/).map((piece) => {
    const sequence = /^\x1b\[([\d;]*)m$/.exec(piece);
    if (!sequence) {
      if (/[\x00-\x09\x0b-\x1f\x7f]/.test(piece)) throw new Error(`not a style: ${JSON.stringify(piece)}`);
      const css = Object.entries(style).map(([name, value]) => `${name}:${value}`).join(';');
      return piece && css ? `<span style="${css}">${escaped(piece)}</span>` : escaped(piece);
    }
    for (const code of sequence[1].split(';').map(Number)) {
      if (code === 0) style = {};
      else if (code === 1) style = { ...style, 'font-weight': 700 };
      else if (code === 2) style = { ...style, color: COLOURS.quiet };
      else if (code >= 30 && code <= 37) style = { ...style, color: COLOURS.ansi[code - 30] };
      else throw new Error(`no such style here: ${code}`);
    }
    return '';
  }).join('');
}

const text = (await readFile(transcript, 'utf8')).trimEnd();
// Lines that are longer than the terminal is wide go on in the next, at whatever character.
const page = `<!DOCTYPE html><meta charset="utf-8"><style>
  body { margin: 0; background: ${COLOURS.page}; color: ${COLOURS.text}; }
  pre { display: inline-block; width: calc(${columns}ch + 1px); margin: 0; padding: 16px 20px; border: 1px solid ${COLOURS.rule}; border-radius: 6px;
    font: 13px/1.45 "Liberation Mono", monospace; white-space: pre-wrap; word-break: break-all; }
</style><pre>${html(text)}</pre>`;
await picture({ html: page, element: 'pre', width: 2000, scheme, path });
