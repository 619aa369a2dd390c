// Windows interleaved as in the other part: one for each contender in every round, the median of each figure over the
// rounds. Who needed very long, too long or failed is not asked again in that row.

import { mapValues, median } from '../medians.mjs'
import { openCounter } from './commands.mjs'
import { OURS } from './contenders.mjs'
import { createCrew, Overrun } from './crew.mjs'
import { cellsOf } from './table.mjs'

/** @returns {Promise<Map<string, Map<string, object>>>} row id -> contender id -> median figures, `over` or `failed` */
export async function measureHot(contenders, rows, { nodes, settings, onWindow }) {
  const crews = new Map(contenders.map((contender) => [contender.id, createCrew(contender, nodes, settings.hotTtl)]))
  const counter = await openCounter(nodes)
  await dismissAbsent(contenders, crews)
  const takesPart = ({ id, crew = id, holder = crew }) => crews.has(crew) && crews.has(holder)
  const takingPart = rows.map((row) => ({ ...row, contenders: row.contenders.filter(takesPart) }))
  const windows = new Map(takingPart.map((row) => [row.id, new Map(row.contenders.map(({ id }) => [id, []]))]))
  let number = 0
  const window = (row, contender, changed) => {
    number++
    const crew = crews.get(contender.crew ?? contender.id)
    const holder = crews.get(contender.holder) ?? crew
    const key = `bench:hot:${number}`
    return measured(row, { contender, crew, holder, key, counter, settings: { ...settings, ...changed } })
  }

  for (const row of takingPart.filter(({ warmUp }) => warmUp && settings.hotWarmUpMs)) {
    for (const contender of row.contenders)
      await window(row, contender, { settleMs: 0, windowMs: settings.hotWarmUpMs })
  }
  for (let round = 1; round <= settings.hotRounds; round++) {
    for (const row of takingPart) {
      for (const contender of row.contenders) {
        const taken = windows.get(row.id).get(contender.id)
        if (taken.at(-1)?.last) continue
        const figures = await window(row, contender)
        taken.push(figures)
        onWindow({ round, row, contender, cells: cellsOf(row.columns, windows.get(row.id), figures).filter(Boolean) })
      }
    }
  }
  counter.close()
  await Promise.all([...crews.values()].map((crew) => crew.close()))
  return mapValues(windows, (byContender) => mapValues(byContender, summary))
}

async function measured(row, context) {
  const { longMs } = context.settings
  const capMs = context.settings.capMs[context.crew.kind]
  const startedAt = performance.now()
  try {
    const figures = await row.measure({ ...context, capMs })
    return { ...figures, last: context.crew.kind === 'peer' && performance.now() - startedAt > longMs }
  } catch (error) {
    return error instanceof Overrun ? { over: capMs, last: true } : { failed: error.message, last: true }
  }
}

async function dismissAbsent(contenders, crews) {
  const loaded = await Promise.allSettled(contenders.map(({ id }) => crews.get(id).ready(1)))
  for (const [i, { reason }] of loaded.entries()) {
    if (!reason) continue
    const { id, label } = contenders[i]
    if (id === OURS) throw reason
    console.log(`not measured on a hot key: ${label} (${reason.message})`)
    crews.delete(id)
  }
}

function summary(windows) {
  const ended = windows.find(({ over, failed }) => over || failed)
  if (ended) return { over: ended.over, failed: ended.failed }
  const names = Object.keys(windows[0]).filter((name) => name !== 'last')
  const medians = names.map((name) => [name, median(windows.map((window) => window[name]))])
  return { ...Object.fromEntries(medians), windows: windows.length }
}
