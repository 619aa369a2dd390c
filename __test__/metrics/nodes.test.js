// The messages about nodes, of servers with a password.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { inspect } = require('node:util')
const { useCluster } = require('../support/cluster')
const { open, allUp } = require('../support/quorlock')
const { until } = require('../support/until')
const { messages } = require('./support')

describe('quorlock:node', () => {
  const password = 'sesame-7f3a'
  const cluster = useCluster(3, { password })
  const withPassword = (word) => cluster.urls.map((url) => url.replace('://', `://:${word}@`))

  test('up, down with the reason, and quarantined after a restart', async (t) => {
    // For so long, and a second, it does not vote: long enough to be seen also where everything is slow.
    const redlock = await allUp(t, withPassword(password), { maxTtl: 5000 })
    const got = messages(t, 'quorlock:node', redlock)
    const [server] = cluster.servers
    const { name } = redlock.stats().nodes[0]
    await server.kill()
    await until(() => got.length >= 1)
    assert.deepEqual([got[0].node, got[0].state], [name, 'down'])
    assert.equal(got[0].error.code, 'CONNECT')
    await server.launch()
    await until(() => got.at(-1).state === 'up', { deadline: 60_000 })
    assert.deepEqual(
      got.map(({ state }) => state),
      ['down', 'quarantined', 'up'],
    )
    assert.equal(got[1].error.code, 'QUARANTINED')
    assert.equal(got[2].error, undefined)
  })

  test('never a password', async (t) => {
    const wrong = 'wrong-9c1b'
    const redlock = open(t, withPassword(wrong))
    const got = messages(t, 'quorlock:node', redlock)
    await until(() => got.length === 3)
    for (const { state, error } of got) assert.deepEqual([state, error.code], ['down', 'AUTH'])
    const shown = inspect(got, { depth: 9, showHidden: true }) + JSON.stringify(got)
    for (const word of [wrong, password]) assert.ok(!shown.includes(word))
  })
})
