// What the tests share: an application that is closed again, and the support of the other tests, which stays where it is.

import 'reflect-metadata'
import { strict as assert } from 'node:assert'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type INestApplicationContext, Module, type ModuleMetadata } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Redlock } from 'quorlock'

const folder = process.env.QUORLOCK_TEST_SUPPORT ?? ''
const load = createRequire(join(folder, 'support.js'))

export const nest = Number(process.env.QUORLOCK_TEST_NEST)

export const { until, within, block } = load('./until.js') as {
  until: (condition: () => unknown, options?: { what?: string }) => Promise<unknown>
  within: <T>(ms: number, promise: Promise<T>) => Promise<T>
  block: (ms: number) => void
}

export const { freePort } = load('./ports.js') as { freePort: () => Promise<number> }

export interface Server {
  url: string
  port: number
  pause(): void
  resume(): void
  command(...words: string[]): Promise<unknown>
}

export async function servers(t: TestContext, count = 3): Promise<Server[]> {
  const { Cluster } = load('./cluster.js')
  const cluster = await Cluster.start(count)
  t.after(() => cluster.stop())
  return cluster.servers
}

/** A Postgres, on a unix socket in the folder `host`. */
export async function postgres() {
  const file = join(folder, '..', '..', 'examples', 'fenced-stores', 'servers', 'postgres.mjs')
  const { startPostgres } = await import(pathToFileURL(file).href)
  const { url, stop }: { url: string; stop: () => Promise<void> } = await startPostgres()
  const host = new URL(url.replace('@/', '@localhost/')).searchParams.get('host') as string
  return { options: { host, user: 'example', database: 'postgres' }, stop }
}

const required = createRequire(join(process.cwd(), 'app.js'))

/** What `require` gives where somebody has emptied its cache, or has a second installation. */
export function anotherCopy<T>(name: string): T {
  for (const file of Object.keys(required.cache)) if (file.includes('quorlock')) delete required.cache[file]
  return required(name)
}

/** As of `node --expose-gc`. */
export const collectGarbage = (() => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
})()

let memories = 0
/** Lock servers that no other test uses. */
export const memory = () => `memory:${++memories}`

let modules = 0
export function moduleOf(metadata: ModuleMetadata) {
  const made = { [`App${++modules}`]: class {} }[`App${modules}`] as new () => object
  Module(metadata)(made)
  return made
}

/** Silent, and closed after the test. */
export async function start(t: TestContext, metadata: ModuleMetadata): Promise<INestApplicationContext> {
  const app = await NestFactory.createApplicationContext(moduleOf(metadata), { logger: false, abortOnError: false })
  t.after(() => app.close())
  return app
}

/** What a promise rejects with. */
// biome-ignore lint/suspicious/noExplicitAny: an error may have any properties
export const failureOf = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    () => assert.fail('it did not fail'),
    (error) => error,
  )

/** Whether the application has begun to close: no lock is given any more. */
export const isRefusing = (redlock: Pick<Redlock, 'tryAcquire'>) =>
  redlock.tryAcquire('other', 1000).then(
    (lock) => lock?.release().then(() => false),
    ({ code }) => code === 'ERR_REDLOCK_CLOSED',
  )

/** The methods of which it is told, from now on, that they were left out. */
export function hearLeftOut(t: TestContext) {
  const names: string[] = []
  const hear = ({ code, message }: Error & { code?: string }) => {
    if (code === 'QUORLOCK_LEFT_OUT') names.push(message.match(/^@WithLock\(\) on (\S+): not called/)?.[1] ?? message)
  }
  process.on('warning', hear)
  t.after(() => process.off('warning', hear))
  return names
}

/** A promise that somebody else settles. */
export function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** A logger that remembers. */
export class Recorder {
  lines: string[] = []
  #add(level: string, message: unknown, context: unknown) {
    this.lines.push(`${level} [${context}] ${message}`)
  }
  log(message: unknown, context?: unknown) {
    this.#add('log', message, context)
  }
  warn(message: unknown, context?: unknown) {
    this.#add('warn', message, context)
  }
  error(message: unknown, context?: unknown) {
    this.#add('error', message, context)
  }
  debug(message: unknown, context?: unknown) {
    this.#add('debug', message, context)
  }
  /** The lines about locks, as the recorder may be everybody's. */
  get ours() {
    return this.lines.filter((line) => line.includes('[Redlock'))
  }
}
