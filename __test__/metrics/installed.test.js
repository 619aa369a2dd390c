// The installed package in a project that has the optional packages, and in one that has not.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { installed, node } = require('../package/packed')

describe('the installed package', () => {
  let bare
  let full

  before(() => {
    bare = installed()
    full = installed()
    const from = path.dirname(require.resolve('prom-client/package.json'))
    fs.symlinkSync(from, path.join(full, 'node_modules', 'prom-client'), 'junction')
  })

  test('loads none of the packages that it can be used with, and the metrics not even the addon', () => {
    const script = (entries) => `
      for (const entry of ${JSON.stringify(entries)}) require(entry)
      const loaded = Object.keys(require.cache).filter((name) => /prom-client|opentelemetry|nestjs.(common|core)|\\.node$/.test(name))
      console.log(loaded.map((name) => name.replace(/.*[.]/, '.')).join())`
    assert.equal(node(full, '-e', script(['quorlock/metrics', 'quorlock/nestjs/metrics'])), '')
    assert.equal(node(full, '-e', script(['quorlock'])), '.node')
  })

  const observe = `
    const redlock = new Redlock({ nodes: 'memory' })
    const observation = observeWithProm({ redlock })
    await redlock.withLock('a', 1000, () => {})`

  test('uses the prom-client of the project where none is given', () => {
    const script = `
      import client from 'prom-client'
      import { Redlock } from 'quorlock'
      import { observeWithProm, observeWithOpenTelemetry } from 'quorlock/metrics'
      import { RedlockMetricsModule } from 'quorlock/nestjs/metrics'
      ${observe}
      const text = await client.register.metrics()
      observation.stop()
      console.log(text.match(/acquire_seconds_count.*acquired.*/)[0], typeof observeWithOpenTelemetry, typeof RedlockMetricsModule)`
    const printed = node(full, '--input-type=module', '-e', script)
    assert.equal(printed, 'acquire_seconds_count{redlock="default",outcome="acquired"} 1 function function')
  })

  test('says what to install where there is none', () => {
    const script = `
      const { Redlock } = require('quorlock')
      const { observeWithProm } = require('quorlock/metrics')
      ;(async () => {${observe}})().catch(({ code, message }) => console.log(code, message))`
    const printed = node(bare, '-e', script)
    const wanted = 'run "npm install prom-client", or give it as the option "client"'
    assert.equal(printed, `ERR_QUORLOCK_PEER_MISSING observeWithProm needs the package prom-client: ${wanted}`)
  })
})
