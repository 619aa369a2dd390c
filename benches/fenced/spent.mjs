// What servers have spent, by their own word, between two looks: CPU in all, and where it went.

import { openWire } from '../hot/wire.mjs'

const LOOK = 'INFO all\r\n'
const WHOLE = /used_cpu_sys:([\d.]+)\r\nused_cpu_user:([\d.]+)[\s\S]*\r\n# Keyspace\r\n[\s\S]*\r\n$/
const COMMAND = /cmdstat_([^:]+):calls=\d+,usec=(\d+)/g

/** The commands that a client sends itself in each mode; all others are inside scripts, whose time has theirs, too. */
const SENT = { classic: ['set', 'delex', 'delifeq'], fenced: [] }
const SCRIPT = 'evalsha'
const OURS = ['set', 'get', 'mget', 'del', 'delex', 'delifeq', 'time', 'pexpire', 'pttl']

/** @typedef {{ cpu: number, sent: number, inside: number, interpreter: number, rest: number }} Spent µs, all servers */

export async function openLedger(nodes) {
  const wires = await Promise.all(nodes.map(openWire))
  const look = async () => sum(await Promise.all(wires.map(async (wire) => read(await wire.ask(WHOLE, LOOK)))))
  return {
    /** @returns {Promise<(mode: 'classic' | 'fenced') => Promise<Spent>>} */
    async begin() {
      const before = await look()
      return async (mode) => divide(difference(await look(), before), mode)
    },
    close() {
      for (const wire of wires) wire.close()
    },
  }
}

function read([text, system, user]) {
  const spent = { cpu: (Number(system) + Number(user)) * 1e6 }
  for (const [, name, micros] of text.matchAll(COMMAND)) spent[name] = Number(micros)
  return spent
}

function sum(all) {
  const total = {}
  for (const [name, micros] of all.flatMap(Object.entries)) total[name] = (total[name] ?? 0) + micros
  return total
}

function difference(after, before) {
  return Object.fromEntries(Object.entries(after).map(([name, micros]) => [name, micros - (before[name] ?? 0)]))
}

function divide(spent, mode) {
  const of = (names) => names.reduce((total, name) => total + (spent[name] ?? 0), 0)
  const sent = of(SENT[mode])
  const inside = of(OURS) - sent
  const scripts = of([SCRIPT])
  return { cpu: spent.cpu, sent, inside, interpreter: scripts - inside, rest: spent.cpu - sent - scripts }
}
