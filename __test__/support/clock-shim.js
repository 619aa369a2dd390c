'use strict'

// A wall clock of its own for one process, which a test sets while the process runs (clock-shim.c says how):
//
//   const clock = new Clock()
//   const server = await RedisServer.start({ env: clock.env })
//   clock.step(60_000)        // a minute ahead of ours; -60_000: behind
//   clock.run(1.1)            // ten percent too fast from now on
//   clock.freeze(ms)          // stands still at ms since 1970 (default: where it is); clock.advance(5) moves it on
//   clock.real()              // ours again
//   clock.stop()              // removes its file; the process may go on

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const SOURCE = path.join(__dirname, 'clock-shim.c')
const [RUNNING, FROZEN] = [0n, 1n]
const MILLION = 1_000_000n

let folder
/** A folder of this process, gone with it. */
function scratch() {
  if (!folder) {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-clock-'))
    process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }))
  }
  return folder
}

let built
/** The compiled shim, made once: `{ library }`, or `{ failure }` where there is no C compiler. */
function build() {
  if (!built) {
    const library = path.join(scratch(), 'clock-shim.so')
    const words = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-o', library, SOURCE]
    const { status, error, stderr } = spawnSync('cc', words, { encoding: 'utf8', timeout: 60_000 })
    built = status === 0 ? { library } : { failure: error?.message ?? stderr }
  }
  return built
}

/** Why tests with a shimmed clock cannot run here, for `skip`; false where they can. In CI they have to. */
function withoutClock() {
  if (process.env.CI) return false
  if (process.platform !== 'linux') return 'LD_PRELOAD is for Linux'
  const { failure } = build()
  return failure ? `the clock shim could not be compiled: ${failure}` : false
}

let clocks = 0

class Clock {
  #file
  #version = 0n
  #words = [RUNNING, 0n, MILLION, 0n]

  constructor() {
    const { library, failure } = build()
    if (failure) throw new Error(`the clock shim could not be compiled: ${failure}`)
    this.path = path.join(scratch(), `clock-${++clocks}`)
    this.#file = fs.openSync(this.path, 'w')
    this.#write(...this.#words)
    /** For the environment of the process. */
    this.env = { LD_PRELOAD: library, QUORLOCK_TEST_CLOCK: this.path }
  }

  #write(...words) {
    this.#words = words
    const put = (values, at) => fs.writeSync(this.#file, Buffer.from(BigInt64Array.from(values).buffer), 0, null, at)
    put([++this.#version], 32)
    put(words, 0)
    put([++this.#version], 32)
  }

  /** What the process reads at this moment, in microseconds since 1970. */
  get now() {
    const real = BigInt(Date.now()) * 1000n
    const [mode, value, rate, since] = this.#words
    return mode === FROZEN ? value : real + value + ((real - since) * (rate - MILLION)) / MILLION
  }

  /** Runs at the real rate, `ms` ahead of our clock. */
  step(ms) {
    this.#write(RUNNING, microseconds(ms), MILLION, 0n)
  }

  /** Runs on from what it shows, `rate` times as fast as ours. */
  run(rate) {
    const since = BigInt(Date.now()) * 1000n
    this.#write(RUNNING, this.now - since, BigInt(Math.round(rate * 1e6)), since)
  }

  /** Stands still at `ms` since 1970. */
  freeze(ms) {
    this.#write(FROZEN, ms === undefined ? this.now : microseconds(ms), MILLION, 0n)
  }

  /** Moves a frozen clock on by `ms`, or back. */
  advance(ms) {
    if (this.#words[0] !== FROZEN) throw new Error('only a frozen clock is advanced; step() sets a running one')
    this.#write(FROZEN, this.now + microseconds(ms), MILLION, 0n)
  }

  real() {
    this.step(0)
  }

  stop() {
    fs.closeSync(this.#file)
    fs.rmSync(this.path, { force: true })
  }
}

/** Of milliseconds, which may be fractional. */
const microseconds = (ms) => BigInt(Math.round(ms * 1000))

module.exports = { Clock, withoutClock }
