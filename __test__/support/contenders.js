'use strict'

// Several processes that take the same keys in turn, whatever a test does to their nodes meanwhile; afterwards the
// checker reads what all of them have written down.
//
//   const contenders = await Contenders.start(t, cluster.urls, { count: 3 })
//   await contenders.getOn('without the node')     // each has had more sections since
//   const { holds, faults } = await contenders.end()

const path = require('node:path')
const { Child } = require('./child')
const { check, readRecords } = require('./checker')
const { uniqueKey } = require('./quorlock')
const { recordsOf } = require('./recorder')
const { until, within } = require('./until')

const SCRIPT = path.join(__dirname, '..', 'faults', 'fixtures', 'contender.js')

class Contenders {
  #children
  #sections
  #folder

  /**
   * `count` processes, `keys` (one of our own by default), `ttl`, `ms` of a section, `options` of the Redlock; `env` and
   * `options` may be functions of the number of the process. Resolves when all are connected.
   */
  static async start(t, nodes, { count = 3, keys = [uniqueKey()], ttl = 1000, ms = 6, options = {}, env = {} } = {}) {
    const contenders = new Contenders()
    contenders.keys = keys
    contenders.#folder = recordsOf(t)
    contenders.#sections = Array.from({ length: count }, () => 0)
    const of = (value, i) => (typeof value === 'function' ? value(i) : value)
    contenders.#children = contenders.#sections.map((_, i) => {
      const settings = {
        nodes,
        options: of(options, i),
        keys,
        ttl,
        ms,
        folder: contenders.#folder,
        name: `contender ${i}`,
      }
      const child = new Child(SCRIPT, { args: [JSON.stringify(settings)], env: of(env, i) })
      child.process.on('message', (message) => {
        if (typeof message === 'number') contenders.#sections[i] = message
      })
      return child
    })
    t.after(() => Promise.all(contenders.#children.map((child) => child.stop())))
    await Promise.all(contenders.#children.map((child) => child.message((message) => message === 'ready', 60_000)))
    return contenders
  }

  get pids() {
    return this.#children.map((child) => child.pid)
  }

  /** Resolves when `count` more sections are over: of each process, or of all together. */
  async getOn(what, { count = 5, together = false, deadline = 60_000 } = {}) {
    const before = [...this.#sections]
    const sum = (sections) => sections.reduce((all, one) => all + one, 0)
    const each = () => this.#sections.every((sections, i) => sections >= before[i] + count)
    const all = () => sum(this.#sections) >= sum(before) + count
    await until(together ? all : each, { deadline, what: `they get on ${what}` })
  }

  /**
   * Ends them all: `{ holds, faults, outcomes }`, the last being what each says of its calls. They have printed nothing but
   * process warnings that are `expected`.
   */
  async end({ expected } = {}) {
    for (const child of this.#children) child.send('stop')
    const outcomes = await Promise.all(
      this.#children.map((child) => child.message((message) => message.errors, 60_000)),
    )
    const ends = await within(60_000, Promise.all(this.#children.map((child) => child.ended)), 'the processes')
    const isNoise = (line) => line !== '' && !(expected?.test(line) || (expected && line.includes('--trace-warnings')))
    const noises = ends.map(({ code, stderr }) => `${code} ${stderr.split('\n').filter(isNoise).join('\n')}`)
    const noise = noises.filter((end) => end !== '0 ')
    if (noise.length > 0) throw new Error(`a process did not end well: ${noise.join('\n')}`)
    return { ...check(readRecords(this.#folder)), outcomes }
  }
}

module.exports = { Contenders }
