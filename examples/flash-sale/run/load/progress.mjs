// How far the sale is: one line that redraws itself on a terminal, a plain line every so often elsewhere.

const WIDTH = 30
const REDRAW_MS = 100
const PLAIN_LINE_MS = 2000

export function startProgress(journal, items, out = process.stdout) {
  const line = () => {
    const filled = Math.min(WIDTH, Math.floor((WIDTH * journal.sold) / items))
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled)
    const seconds = (journal.now() / 1000).toFixed(0).padStart(3)
    return `${seconds} s  ${bar}  ${journal.sold}/${items} sold, ${journal.answers.length} answers`
  }
  const draw = () => out.write(out.isTTY ? `\r\x1b[K${line()}` : `${line()}\n`)
  const timer = setInterval(draw, out.isTTY ? REDRAW_MS : PLAIN_LINE_MS)
  return {
    /** A remark above the bar. */
    note(text) {
      const remark = `${(journal.now() / 1000).toFixed(1).padStart(5)} s  ${text}`
      out.write(out.isTTY ? `\r\x1b[K${remark}\n${line()}` : `${remark}\n`)
    },
    end() {
      clearInterval(timer)
      draw()
      if (out.isTTY) out.write('\n')
    },
  }
}
