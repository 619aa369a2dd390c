// A holder as the scenario sees it: a process that can be told what to do, suspended and continued.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('./holder-process.mjs', import.meta.url))
const ANSWER_LIMIT_MS = 60_000

export class Holder {
  #child
  #answers = []
  #listener
  #ended
  #kill = () => this.#child.kill('SIGKILL') // also ends who is suspended

  /** @param settings what holder-process.mjs is to know */
  constructor(settings) {
    this.#child = fork(SCRIPT)
    process.on('exit', this.#kill)
    this.#child.send(settings)
    this.#child.on('message', (message) => {
      this.#answers.push({ message })
      this.#listener?.()
    })
    this.#ended = new Promise((resolve) => {
      const end = (error) => {
        this.#answers.push({ error })
        this.#listener?.()
        resolve()
      }
      this.#child.once('close', (code, signal) => end(new Error(`a holder ended (${code ?? signal})`)))
      this.#child.on('error', end)
    })
  }

  /** Connected, and waiting to be told. */
  ready() {
    return this.#answer('become ready')
  }

  /** 'read' or 'write'; resolves with what the holder answers. */
  tell(word) {
    this.#child.send(word)
    return this.#answer(word)
  }

  suspend() {
    this.#child.kill('SIGSTOP')
  }

  continue() {
    this.#child.kill('SIGCONT')
  }

  async stop() {
    process.off('exit', this.#kill)
    this.#kill()
    await this.#ended
  }

  async #answer(what) {
    if (this.#answers.length === 0) {
      await new Promise((resolve, reject) => {
        const late = () => reject(new Error(`a holder did not ${what} within ${ANSWER_LIMIT_MS} ms`))
        const limit = setTimeout(late, ANSWER_LIMIT_MS)
        this.#listener = () => {
          clearTimeout(limit)
          resolve()
        }
      })
      this.#listener = undefined
    }
    const { message, error } = this.#answers.shift()
    if (error) throw error
    return message
  }
}
