// Everybody wants the key at the same moment; the time until the last one has had it.

export function measureBuyers({ processes, buyers, workMs, commands }) {
  const everyone = Array.from({ length: processes }, (_, index) => index)
  const total = processes * buyers

  return async ({ crew, key, capMs, counter }) => {
    await crew.ready(processes)
    const pieceMs = await crew.ask(0, 'work', { pieces: 200, workMs })
    const count = commands && (await counter.begin())
    const setup = { key, buyers, workMs }
    const windows = await crew.within(capMs, Promise.all(everyone.map((index) => crew.ask(index, 'buyers', setup))))
    const sent = await count?.()
    refuseOverlaps(windows)
    const totalMs = Math.max(...windows.map(({ endedAt }) => endedAt)) - Math.min(...windows.map((w) => w.startedAt))
    const turnedAway = sum(windows.map((window) => window.turnedAway))
    return {
      totalMs,
      floorMs: total * pieceMs,
      ofFloor: totalMs / (total * pieceMs),
      turnedAway,
      ...(commands && { commandsPerSection: sent / (total - turnedAway) }),
    }
  }
}

/** A lock that lets two in at once has no speed. */
function refuseOverlaps(windows) {
  const sections = windows.flatMap(({ entered, left }) => entered.map((from, i) => ({ from, until: left[i] })))
  sections.sort((a, b) => a.from - b.from)
  for (let i = 1; i < sections.length; i++) {
    if (sections[i].from < sections[i - 1].until) throw new Error('two sections of one key overlapped')
  }
  const lost = sum(windows.map((window) => window.lost))
  if (lost) throw new Error(`${lost} locks were lost`)
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0)
}
