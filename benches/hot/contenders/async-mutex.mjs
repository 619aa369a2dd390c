// The floor of the loop without work: a mutex for one process, which asks nobody.

import { Mutex } from 'async-mutex'

export function open() {
  return {
    bind() {
      const mutex = new Mutex()
      return {
        async section(_slot, work) {
          const release = await mutex.acquire()
          if (work) await work()
          release()
        },
      }
    },
    close() {},
  }
}
