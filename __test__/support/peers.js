'use strict'

// The libraries that do the same job, in the versions published today, from the test package in __test__/peers.

const { createRequire } = require('node:module')
const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')

const FOLDER = path.join(__dirname, '..', 'peers')
const requirePeer = createRequire(path.join(FOLDER, 'package.json'))

function load(name) {
  try {
    return requirePeer(name)
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error
    throw new Error(`${name} is not installed: npm ci --prefix __test__/peers`, { cause: error })
  }
}

/** 'redlock 5.0.0-beta.2': the name and version of what is really installed. */
function version(name) {
  const file = path.join(FOLDER, 'node_modules', name, 'package.json')
  const { name: published, version: number } = JSON.parse(fs.readFileSync(file, 'utf8'))
  return `${published} ${number.replace(/^v/, '')}`
}

// Loaded when asked for: a test of one peer does not load the others.
const peers = {
  redlock4: {
    name: 'redlock-4',
    get Redlock() {
      return load('redlock-4')
    },
  },
  redlock5: {
    name: 'redlock-5',
    get Redlock() {
      return load('redlock-5').default
    },
    get Lock() {
      return load('redlock-5').Lock
    },
  },
  sesamecare: {
    name: '@sesamecare-oss/redlock',
    get Redlock() {
      return load('@sesamecare-oss/redlock').Redlock
    },
    get Lock() {
      return load('@sesamecare-oss/redlock').Lock
    },
  },
  semaphore: {
    name: 'redis-semaphore',
    get api() {
      return load('redis-semaphore')
    },
  },
  universal: {
    name: 'redlock-universal',
    get api() {
      return load('redlock-universal')
    },
  },
}

/**
 * ioredis clients for `urls`, closed after test `t`. A peer's client must never end the test by an 'error' event.
 * Connected before they are returned, unless `lazy`.
 */
async function ioredis(t, urls, options = {}) {
  const { Redis } = load('ioredis')
  const clients = urls.map((url) => {
    const client = new Redis(url, options)
    client.on('error', () => {})
    return client
  })
  t.after(() => {
    for (const client of clients) client.disconnect()
  })
  if (!options.lazyConnect) {
    await Promise.all(clients.map((client) => client.ping().catch(() => {})))
  }
  return clients
}

/** redlock-universal over these clients. */
function universalAdapters(clients) {
  const { IoredisAdapter } = peers.universal.api
  return clients.map((client) => new IoredisAdapter(client))
}

/**
 * Shows a defect of a peer: prints one line with what was seen, and fails with a plain sentence when a later version
 * no longer has the defect, because then the test and the comparison in the documentation are out of date.
 */
function showsDefect(t, peer, { fails, seen }) {
  const name = version(peer.name)
  t.diagnostic(`${name}: ${seen}`)
  assert.ok(fails, `${name} no longer fails here (${seen}); take it out of this test and of the documentation`)
}

module.exports = { peers, ioredis, universalAdapters, showsDefect, version }
