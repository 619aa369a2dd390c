// One contender in a process of its own, so that heaps, JITs and threads do not mix. Told by the entry when to
// measure; idle while the others do.

import { createRecorder } from './recorder.mjs'
import { measureSlots } from './slots.mjs'

const [contenderUrl, nodesJson, ttl] = process.argv.slice(2)
const recorder = createRecorder()
process.on('disconnect', () => process.exit()) // the entry is gone: so must the connections be

try {
  const { open } = await import(contenderUrl)
  const contender = await open({ nodes: JSON.parse(nodesJson), ttl: Number(ttl) })
  process.on('message', async (window) => {
    if (!window) {
      await contender.close()
      process.disconnect()
      return
    }
    try {
      await measure(contender, window)
      process.send({ result: recorder.result() })
    } catch (error) {
      process.send({ failed: describe(error) })
    }
  })
  process.send({ ready: true })
} catch (error) {
  process.send({ failed: describe(error) })
  process.disconnect()
}

function measure(contender, { depth, settleMs, windowMs }) {
  if (contender.measure) return contender.measure(depth, settleMs, windowMs, recorder)
  return measureSlots({ cycle: contender.cycle, depth, settleMs, windowMs, recorder })
}

function describe(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
