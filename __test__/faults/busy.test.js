'use strict'

// A node that does one thing for seconds, and nothing else meanwhile: it accepts connections and requests, and is silent.

const { describe } = require('node:test')
const { fault } = require('./fault')
const { RespClient } = require('../support/resp')
const { stateAfter, until } = require('../support/until')

/** The calls of a test take half a second each, the node timeout. */
const BUSY = 6000
const code = ['TIMEOUT', 'CONNECT']

/** Resolves once the node does not answer anybody. */
async function isSilent({ proxy }) {
  const other = await RespClient.connect({ port: proxy.target })
  await until(async () => (await stateAfter(50, other.command('PING'))) === 'pending', { what: 'the node is silent' })
  other.close()
}

describe('a node that is busy', { concurrency: true }, () => {
  fault('asleep (DEBUG SLEEP)', {
    inject: async (node) => {
      node.sleeping = node.server.command('DEBUG', 'SLEEP', BUSY / 1000)
      await isSilent(node)
    },
    heal: ({ sleeping }) => sleeping,
    code,
  })

  fault('with a script, and not yet saying so', {
    inject: async (node) => {
      // Until this has passed a server does not even answer BUSY. Redis 7 calls it busy-reply-threshold, and knows both.
      await node.server.command('CONFIG', 'SET', 'lua-time-limit', BUSY)
      node.running = node.server.command('EVAL', 'while true do end', 0).catch(() => {})
      await isSilent(node)
    },
    heal: async ({ proxy, running }) => {
      const killer = await RespClient.connect({ port: proxy.target })
      await killer.command('SCRIPT', 'KILL')
      killer.close()
      await running
    },
    code,
  })

  fault('holding every command back (CLIENT PAUSE ALL)', {
    inject: async (node) => {
      await node.server.command('CLIENT', 'PAUSE', BUSY, 'ALL')
      await isSilent(node)
    },
    // It holds back the command that would end this, too.
    heal: ({ server }) => server.command('PING'),
    code,
  })
})
