// How far a sale is: one line that redraws itself on a terminal, a plain line every so often elsewhere.

import { paint } from './report.mjs'

const WIDTH = 30
const REDRAW_MS = 50
const PLAIN_LINE_MS = 1000

export function startProgress(label, total, out = process.stdout) {
  const every = out.isTTY ? REDRAW_MS : PLAIN_LINE_MS
  let drawnAt = out.isTTY ? Number.NEGATIVE_INFINITY : performance.now()
  let state = { answered: 0, sold: 0 }
  let drawn

  const line = () => {
    const { answered, sold } = state
    const filled = Math.floor((WIDTH * answered) / total)
    const bar = `${paint('cyan', '█'.repeat(filled))}${paint('gray', '░'.repeat(WIDTH - filled))}`
    return `${label}  ${bar}  ${String(answered).padStart(String(total).length)}/${total} answered, ${sold} sold`
  }
  const draw = () => {
    drawnAt = performance.now()
    drawn = state
    out.write(out.isTTY ? `\r\x1b[K${line()}` : `${line()}\n`)
  }
  return {
    update(answered, sold) {
      state = { answered, sold }
      if (performance.now() - drawnAt >= every) draw()
    },
    /** A remark above the bar. */
    note(text) {
      out.write(out.isTTY ? `\r\x1b[K${text}\n${line()}` : `${text}\n`)
    },
    end() {
      if (drawn !== state) draw()
      if (out.isTTY) out.write('\n')
    },
  }
}
