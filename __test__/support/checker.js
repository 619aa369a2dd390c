'use strict'

// Merges the files of all recorders (recorder.js) and looks for what must never be:
//
//   overlap    two holds of one key were valid at once                            G1
//   disorder   a later hold of a key has a smaller token                          G3
//   double     two holds of a key have one token                                  G4
//   revival    a hold that was lost was valid again                               G9
//
//   const { holds, faults } = check(readRecords(folder))
//
// A hold was valid from its grant until it was released, if it was valid then; else as long as its handle had last said;
// and one that was lost before that, until it was last seen valid: when it was lost nobody knows exactly. That is never
// more than the truth, so that a fault is a fault whatever the processes were doing meanwhile.

const fs = require('node:fs')
const path = require('node:path')

/** The events of every file in `folder`, in the order in which they happened. */
function readRecords(folder) {
  const events = []
  for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.jsonl'))) {
    const lines = fs.readFileSync(path.join(folder, name), 'utf8').split('\n')
    // What follows the last line break was being written when its process was killed.
    for (const line of lines.slice(0, -1)) events.push(JSON.parse(line))
  }
  // The order of one file is that of its process, which the sort keeps where times are equal.
  return events.sort((a, b) => a.at - b.at)
}

/** `{ key, holder, id, token, from, to, lost, revived }` for each hold and each of its keys, by the time of its grant. */
function holdsOf(events) {
  const holds = new Map()
  for (const event of events) {
    for (const key of [event.key].flat()) {
      const name = JSON.stringify([event.holder, event.hold, key])
      const { holder, id, token, at } = event
      if (event.what === 'granted') holds.set(name, { key, holder, id, token, from: at, to: at, seen: at, lost: false })
      const hold = holds.get(name)
      if (!hold) throw new Error(`${event.what}, but never granted: ${JSON.stringify(event)}`)
      const isValid = event.until > at
      if (hold.lost && isValid) hold.revived = true
      if (event.what === 'lost') hold.lost = true
      if (isValid) {
        hold.seen = at
        // What is given back is not relied upon any more, whatever it would still have been good for.
        hold.to = event.what === 'releasing' ? at : Math.max(hold.to, event.until)
      } else if (hold.to > at || (event.reason && event.reason !== 'expired')) {
        hold.to = Math.min(hold.to, hold.seen)
      }
    }
  }
  return [...holds.values()]
}

const shown = ({ holder, id, token, from, to }) =>
  `${holder} (${id}${token === undefined ? '' : `, token ${token}`}, ${from} to ${to} µs)`

/** What is wrong between the holds of one key, in order of their grants. */
function faultsOf(key, holds) {
  const faults = []
  const find = (kind, one, other) =>
    faults.push({ kind, key, text: `${kind} of "${key}": ${shown(one)}, ${shown(other)}` })
  const byToken = new Map()
  let longest
  let largest
  for (const hold of holds) {
    if (hold.revived) find('revival', hold, hold)
    if (hold.token !== undefined) {
      const same = byToken.get(hold.token)
      if (same) find('double', same, hold)
      byToken.set(hold.token, hold)
    }
    // A hold that had ended when its process wrote it down has its place in the order before that, nobody knows where.
    if (hold.to <= hold.from) continue
    if (longest && hold.from < longest.to) find('overlap', longest, hold)
    if (!longest || hold.to > longest.to) longest = hold
    if (hold.token === undefined) continue
    if (largest && hold.token < largest.token) find('disorder', largest, hold)
    if (!largest || hold.token > largest.token) largest = hold
  }
  return faults
}

/** `{ holds, faults }`; a fault is `{ kind, key, text }`. */
function check(events) {
  const holds = holdsOf(events)
  const byKey = new Map()
  for (const hold of holds) {
    const ofKey = byKey.get(hold.key)
    if (ofKey) ofKey.push(hold)
    else byKey.set(hold.key, [hold])
  }
  return { holds, faults: [...byKey].flatMap(([key, ofKey]) => faultsOf(key, ofKey)) }
}

module.exports = { check, readRecords }
