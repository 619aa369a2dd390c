// The part of RESULTS.md about the hot key.

import { markdownTable } from '../table.mjs'
import { waiting } from './contenders.mjs'
import { rows } from './rows.mjs'
import { hotTable } from './table.mjs'

export function hotSections(hot, settings) {
  return [
    '## One hot key',
    [
      `- medians of ${settings.hotRounds} interleaved windows; a window of more than ${settings.longMs / 1000} s is not repeated, and who takes more than ${settings.capMs.peer / 1000} s is stopped; ttl ${settings.hotTtl} ms; a new key for every window`,
      '- the work is a timer of 1 ms; *the work alone* is the same timer as often in a row, measured in the same process just before',
      '- Redis commands are those of all three nodes, the ones inside scripts included, as the servers count them',
      '- the buyers of one key are also checked: no two of their sections may overlap',
      ...waiting.map((line) => `- ${line}`),
    ].join('\n'),
    ...rows.flatMap((row) => [`### ${row.title}`, markdownTable(hotTable(row, hot.get(row.id)))]),
  ]
}
