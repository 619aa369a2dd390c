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
      `- a hand-over is timed from the call of release() in one process to the moment the acquire of another resolves, which has waited for 3 to 13 ms by then, so the machine rests before it; PING is measured back to back and after such a pause, and the ratios are taken to those of ioredis; at most 200 in a window, peers at most ${settings.handoverMs.peer / 1000} s`,
      `- Jain's index: 1 when all 200 waiters had the same number of sections within ${settings.fairnessMs / 1000} s, 1/200 when one had them all`,
      ...waiting.map((line) => `- ${line}`),
    ].join('\n'),
    ...rows.flatMap((row) => [`### ${row.title}`, markdownTable(hotTable(row, hot.get(row.id)))]),
  ]
}
