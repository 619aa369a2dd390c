'use strict'

// What a process holds on to: descriptors, native threads, active resources of the event loop, memory. A test takes a
// reading before and after the work and compares.

const fs = require('node:fs')

/** Open descriptors, as the kernel counts them. */
function descriptors() {
  return fs.readdirSync('/proc/self/fd').length
}

/** Open sockets among them. */
function sockets() {
  let count = 0
  for (const name of fs.readdirSync('/proc/self/fd')) {
    try {
      if (fs.readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')) count += 1
    } catch {
      // The descriptor of this very readdir is gone by now.
    }
  }
  return count
}

/** Native threads of this process. */
function threads() {
  return fs.readdirSync('/proc/self/task').length
}

/** `{ Timeout: 2, TCPSocketWrap: 1, ... }` */
function resources() {
  const counts = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** Collects garbage several times, with turns of the event loop between them for finalizers. Needs --expose-gc. */
async function collect() {
  for (let i = 0; i < 4; i++) {
    global.gc()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function reading() {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  return {
    descriptors: descriptors(),
    sockets: sockets(),
    threads: threads(),
    resources: resources(),
    rss,
    heapUsed,
    external,
    arrayBuffers,
  }
}

module.exports = { descriptors, sockets, threads, resources, collect, reading }
