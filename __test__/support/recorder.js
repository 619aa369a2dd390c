'use strict'

// Writes down who held what and when, for the checker (checker.js), which reads the files of all processes together.
// Each process appends to a file of its own, one line of JSON for each event, written before the call returns: what a
// process has seen is there when it is killed.
//
//   const recorder = new Recorder(folder, 'worker 3')
//   recorder.granted(lock)            // as soon as the call has resolved; from then on a loss is written down by itself
//   recorder.held(lock)               // it is still relied upon: its validity may have grown by renewals
//   recorder.releasing(lock)          // before release() is called: from here on nobody relies on it
//   recorder.lost(lock)               // it is found not to be held
//   await recorder.section(lock, fn)  // granted, fn(lock), releasing: for the function of a withLock
//
// Times are microseconds of CLOCK_MONOTONIC (`process.hrtime`), which all processes of one machine share and no step of a
// wall clock moves. The clock is read before the handle is asked: a process may be suspended between the two, and what is
// written down as valid must not be longer than it was.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

class Recorder {
  #file
  #holds = new WeakMap()
  #count = 0

  constructor(folder, holder = `process ${process.pid}`) {
    this.holder = holder
    this.path = path.join(folder, `${process.pid}-${++files}.jsonl`)
    this.#file = fs.openSync(this.path, 'a')
  }

  #write(what, lock) {
    if (this.#file === undefined) return
    const at = Number(process.hrtime.bigint() / 1000n)
    const until = at + Math.floor(lock.remaining * 1000)
    // Holders of one process may have one lease, and so one id, in turn: a hold has a number of its own.
    if (what === 'granted') this.#holds.set(lock, ++this.#count)
    const hold = this.#holds.get(lock)
    if (!hold) throw new Error(`${what}, but never granted: ${lock.key}`)
    const { holder } = this
    const { key, id, token, signal } = lock
    const reason = signal?.aborted ? signal.reason.reason : undefined
    const line = { at, what, holder, hold, key, id, token, until, reason }
    fs.writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }

  granted(lock) {
    this.#write('granted', lock)
    lock.signal?.addEventListener('abort', () => this.lost(lock), { once: true })
  }

  held(lock) {
    this.#write('held', lock)
  }

  releasing(lock) {
    this.#write('releasing', lock)
  }

  lost(lock) {
    this.#write('lost', lock)
  }

  async section(lock, fn) {
    this.granted(lock)
    try {
      return await fn(lock)
    } finally {
      this.releasing(lock)
    }
  }

  close() {
    if (this.#file !== undefined) fs.closeSync(this.#file)
    this.#file = undefined
  }
}

let files = 0

/** A folder for the files of one test, removed after test `t`. */
function recordsOf(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-records-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

module.exports = { Recorder, recordsOf }
