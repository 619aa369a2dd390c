// One process of one contender: carries out one task per message, in the order of arrival, and answers each.

import { createTasks } from './tasks.mjs'

const [contenderUrl, nodesJson, ttl] = process.argv.slice(2)
process.on('disconnect', () => process.exit()) // the entry is gone: so must the connections be

try {
  const { open } = await import(contenderUrl)
  const contender = await open({ nodes: JSON.parse(nodesJson), ttl: Number(ttl) })
  const tasks = createTasks(contender)
  process.on('message', async ({ id, task, setup }) => {
    try {
      process.send({ id, result: await tasks[task](setup) })
    } catch (error) {
      process.send({ id, failed: describe(error) })
    }
  })
  process.send({ ready: true })
} catch (error) {
  process.send({ failed: describe(error) })
  process.disconnect()
}

function describe(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
