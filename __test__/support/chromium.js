'use strict'

// A headless Chromium, driven over a pipe by its DevTools protocol: no package, and no port.

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { within } = require('./until')

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
const ANSWER_LIMIT_MS = 60_000
const END = '\0' // of a message

/** The program, or null where there is none. */
function findChromium() {
  return NAMES.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) ?? null
}

class Chromium {
  #child
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-chromium-'))
  #calls = new Map()
  #listeners = new Set()
  #last = 0

  /** Started for test `t`, ended with it. */
  static async start(t) {
    const browser = new Chromium()
    t.after(() => browser.#stop())
    browser.#launch()
    await browser.call('Browser.getVersion')
    return browser
  }

  #launch() {
    const flags = [
      '--headless',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--remote-debugging-pipe',
    ]
    if (process.getuid?.() === 0) flags.push('--no-sandbox') // its sandbox refuses root
    const child = spawn(findChromium(), [...flags, `--user-data-dir=${this.#folder}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, so that its children end with it
    })
    this.#child = child
    process.on('exit', this.#kill)
    for (const pipe of child.stdio.slice(3)) pipe.on('error', () => {}) // it has ended; the calls say so
    child.once('exit', () => {
      for (const { reject } of this.#calls.values()) reject(new Error('Chromium has ended'))
      this.#calls.clear()
    })
    let rest = ''
    child.stdio[4].setEncoding('utf8').on('data', (chunk) => {
      const messages = (rest + chunk).split(END)
      rest = messages.pop()
      for (const message of messages) this.#receive(JSON.parse(message))
    })
  }

  #kill = () => {
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }

  #receive(message) {
    const call = this.#calls.get(message.id)
    if (call) {
      this.#calls.delete(message.id)
      if (message.error) call.reject(new Error(message.error.message))
      else call.resolve(message.result)
    } else {
      for (const listener of this.#listeners) listener(message)
    }
  }

  call(method, params = {}, sessionId = undefined) {
    const id = ++this.#last
    const answer = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }))
    this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}${END}`)
    return within(ANSWER_LIMIT_MS, answer, method)
  }

  /**
   * Opens a page. `evaluate` gives what an expression is there; `errors` and `requests` fill with what the page throws
   * and with what it asks for.
   */
  async open(url) {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true })
    const page = { errors: [], requests: [] }
    let loaded
    const load = new Promise((resolve) => {
      loaded = resolve
    })
    this.#listeners.add(({ method, params, sessionId: from }) => {
      if (from !== sessionId) return
      if (method === 'Runtime.exceptionThrown') page.errors.push(params.exceptionDetails.text)
      if (method === 'Network.requestWillBeSent') page.requests.push(params.request.url)
      if (method === 'Page.loadEventFired') loaded()
    })
    for (const domain of ['Page', 'Runtime', 'Network']) await this.call(`${domain}.enable`, {}, sessionId)
    await this.call('Page.navigate', { url }, sessionId)
    await within(ANSWER_LIMIT_MS, load, `loading ${url}`)
    page.evaluate = async (expression) => {
      const params = { expression, returnByValue: true, awaitPromise: true }
      const { result, exceptionDetails } = await this.call('Runtime.evaluate', params, sessionId)
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
      return result.value
    }
    return page
  }

  async #stop() {
    const child = this.#child
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      this.#kill()
      await ended
    }
    process.off('exit', this.#kill)
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}

module.exports = { Chromium, findChromium }
