// A process of its own that does tasks by their names, one at a time.

import { fork } from 'node:child_process'
import { once } from 'node:events'

/** In the child: `tasks` maps names to functions; `close` is its last. */
export async function serveTasks(tasks) {
  process.on('message', async ({ task, args }) => process.send((await tasks[task](...args)) ?? null))
  process.send('ready')
}

/** @returns {Promise<(task: string, ...args: unknown[]) => Promise<any>>} */
export async function startProcess(file, args) {
  const child = fork(file, args, { execArgv: ['--expose-gc'] })
  await once(child, 'message')
  return async (task, ...rest) => {
    child.send({ task, args: rest })
    const [answer] = await once(child, 'message')
    if (task === 'close') child.disconnect()
    return answer
  }
}
