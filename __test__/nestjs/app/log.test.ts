// What Nest's Logger gets to see, over real servers.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { NestFactory } from '@nestjs/core'
import { RedlockModule, RedlockService } from 'quorlock/nestjs'
import { memory, moduleOf, Recorder, servers, start, until } from './support.js'

test('one line per change of a node, a warning for a lost lock', async (t) => {
  const nodes = await servers(t)
  const logger = new Recorder()
  const module = RedlockModule.forRoot({ nodes: nodes.map(({ url }) => url), nodeTimeout: 100, logger })
  const redlock = (await start(t, { imports: [module] })).get(RedlockService, { strict: false })
  await until(() => logger.lines.length === 3, { what: 'every node is told to be up' })
  for (const line of logger.lines) assert.match(line, /^log \[Redlock\] node \S+ is up$/)

  const [node] = nodes as [(typeof nodes)[0]]
  node.pause()
  const tries = async () => {
    await redlock.withLock('lock:a', 5000, () => {})
    return logger.lines.length > 3
  }
  await until(tries, { what: 'the node is found to be down' })
  node.resume()
  await until(() => logger.lines.length > 4, { what: 'the node is up again' })
  assert.match(logger.lines[3] ?? '', new RegExp(`^warn \\[Redlock\\] node \\S*${node.port} is down: `))
  assert.match(logger.lines[4] ?? '', new RegExp(`^log \\[Redlock\\] node \\S*${node.port} is up$`))

  logger.lines.length = 0
  const lock = await redlock.acquire('lock:lost', 1000, { renew: true })
  await Promise.all(nodes.map((one) => one.command('DEL', 'lock:lost')))
  await until(() => lock.signal.aborted)
  await until(() => logger.lines.some((line) => line === 'warn [Redlock] lost the lock "lock:lost": gone'))
})

test('one line when the fallback begins to give locks, and one when it ends', async (t) => {
  const nodes = await servers(t)
  const logger = new Recorder()
  const urls = nodes.map(({ url }) => url)
  const breaker = { failures: 1, probeInterval: 10, successes: 1 }
  const module = RedlockModule.forRoot({
    nodes: urls,
    nodeTimeout: 100,
    fallback: 'local',
    fallbackAfter: 0,
    breaker,
    logger,
  })
  const redlock = (await start(t, { imports: [module] })).get(RedlockService, { strict: false })
  await redlock.connect()
  const ours = () => logger.lines.filter((line) => line.includes('locks come from'))
  const given = (degraded: boolean) => async () =>
    redlock.withLock('lock:a', 5000, (lock) => lock.degraded === degraded)
  for (const node of nodes.slice(1)) node.pause()
  await until(given(true), { what: 'the fallback gives locks' })
  for (const node of nodes.slice(1)) node.resume()
  await until(given(false), { what: 'the nodes give locks' })
  await until(() => ours().length === 2)
  assert.match(ours()[0] ?? '', /^warn \[Redlock\] locks come from the fallback from now on: \S/)
  assert.equal(ours()[1], 'log [Redlock] locks come from the nodes again')
})

test("Nest's own logger by default, with the name; debug on waits", async (t) => {
  const logger = new Recorder()
  const imports = [
    RedlockModule.forRoot({ nodes: memory(), name: 'orders' }),
    RedlockModule.forRoot({ nodes: memory() }),
  ]
  const app = await NestFactory.createApplicationContext(moduleOf({ imports }), { logger, abortOnError: false })
  t.after(() => app.close())
  await until(() => logger.ours.length >= 2)
  assert.equal(logger.ours.filter((line) => line.startsWith('log [Redlock:orders] node ')).length, 1)
  assert.equal(logger.ours.filter((line) => line.startsWith('log [Redlock] node ')).length, 1)

  const redlock = app.get(RedlockService, { strict: false })
  for (const wait of [
    () => redlock.acquire('key', 5000).then((lock) => lock.release()),
    () => redlock.withLock('key', 5000, (lock) => lock.isHeld),
  ]) {
    logger.lines.length = 0
    const holder = await redlock.acquire('key', 5000)
    const waiting = wait()
    setTimeout(() => holder.release(), 100)
    await waiting
    assert.match(logger.ours.at(-1) ?? '', /^debug \[Redlock\] waited \d+ ms for the lock "key"/)
  }
})

test('debug on waits that were in vain, too', async (t) => {
  const logger = new Recorder()
  const app = await start(t, { imports: [RedlockModule.forRoot({ nodes: memory(), logger })] })
  const redlock = app.get(RedlockService, { strict: false })
  await until(() => logger.lines.length === 1, { what: 'the node is told to be up' })
  const held = await redlock.acquire('key', 30_000)
  for (const [wait, why] of [
    [() => redlock.acquire('key', 5000, { wait: 100 }), 'ERR_LOCK_CONTENDED'],
    [() => redlock.withLock('key', 5000, () => {}, { wait: 100 }), 'ERR_LOCK_CONTENDED'],
    [() => redlock.acquire(['key', 'other'], 5000, { signal: AbortSignal.timeout(100) }), '\\w+'],
  ] as const) {
    logger.lines.length = 0
    await assert.rejects(wait())
    assert.equal(logger.ours.length, 1)
    assert.match(
      logger.ours[0] ?? '',
      new RegExp(`^debug \\[Redlock\\] waited \\d+ ms for the lock "key".*, in vain: ${why}$`),
    )
  }
  logger.lines.length = 0
  await held.release()
  // what the user's function throws is nothing that was waited for
  const late = () => new Promise((_, reject) => setTimeout(reject, 100, new Error('mine')))
  await assert.rejects(redlock.withLock('key', 5000, late), /mine/)
  assert.equal(logger.ours.filter((line) => line.includes('in vain')).length, 0)
})

test('a logger that throws takes no lock with it', async (t) => {
  const broken = () => {
    throw new Error('the disk is full')
  }
  const logger = { log: broken, warn: broken, error: broken, debug: broken }
  const warnings: string[] = []
  const hear = (warning: Error) => warnings.push(warning.message)
  process.on('warning', hear)
  t.after(() => process.off('warning', hear))
  const module = RedlockModule.forRoot({ nodes: memory(), logger })
  const redlock = (await start(t, { imports: [module] })).get(RedlockService, { strict: false })
  for (const wait of [
    () => redlock.acquire('key', 5000).then((lock) => lock.release()),
    () => redlock.withLock('key', 5000, (lock) => lock.release()),
  ]) {
    const holder = await redlock.acquire('key', 5000)
    setTimeout(() => holder.release(), 100)
    assert.equal(await wait(), 'released')
  }
  await until(() => warnings.includes('the logger failed: the disk is full'))
  assert.equal(redlock.stats().held, 0)
})

test('a logger whose promises fail ends nothing', async (t) => {
  const broken = async () => {
    throw new Error('the log shipper is away')
  }
  const warnings: string[] = []
  const hear = (warning: Error) => warnings.push(warning.message)
  process.on('warning', hear)
  t.after(() => process.off('warning', hear))
  const logger = { log: broken, warn: broken, error: broken, debug: broken }
  const app = await start(t, { imports: [RedlockModule.forRoot({ nodes: memory(), logger })] })
  // the node is up, which is one line
  await until(() => warnings.includes('the logger failed: the log shipper is away'))
  const redlock = app.get(RedlockService, { strict: false })
  assert.equal(await redlock.withLock('key', 5000, () => 'ran'), 'ran')
})

test('whatever a call that waited was aborted with is what it rejects with', async (t) => {
  const logger = new Recorder()
  const app = await start(t, { imports: [RedlockModule.forRoot({ nodes: memory(), logger })] })
  const redlock = app.get(RedlockService, { strict: false })
  const held = await redlock.acquire('key', 30_000)
  const throwing = {
    get code() {
      throw new Error('no code')
    },
  }
  const reasons = [
    { code: Symbol('mine') },
    { code: Object.create(null) },
    { attempts: Symbol('mine') },
    throwing,
    null,
  ]
  for (const reason of reasons) {
    for (const wait of [
      (signal: AbortSignal) => redlock.acquire('key', 5000, { signal }),
      (signal: AbortSignal) => redlock.withLock('key', 5000, () => {}, { signal }),
    ]) {
      const aborting = new AbortController()
      setTimeout(() => aborting.abort(reason), 100)
      await assert.rejects(wait(aborting.signal), (error) => error === reason)
    }
  }
  assert.ok(logger.ours.some((line) => line.endsWith('in vain: Symbol(mine)')))
  await held.release()
})

test('no logger at all', async (t) => {
  const logger = new Recorder()
  const imports = [RedlockModule.forRoot({ nodes: memory(), logger: false })]
  const app = await NestFactory.createApplicationContext(moduleOf({ imports }), { logger, abortOnError: false })
  t.after(() => app.close())
  const redlock = app.get(RedlockService, { strict: false })
  assert.equal(await redlock.withLock('key', 1000, () => 'ran'), 'ran')
  await (await redlock.acquire('key', 1000)).release()
  assert.deepEqual(logger.ours, [])
})
