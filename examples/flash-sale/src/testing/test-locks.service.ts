// Removes locks that tests have left behind. It deletes keys on the nodes, which takes a lock from whoever holds it: only
// for keys that say that they are of a test, and only under NODE_ENV=test.

import { Injectable } from '@nestjs/common'
import { Redis } from 'ioredis'
import { settings } from '../settings.js'

const TEST_KEYS = ['lock:test:*', 'lock:product:test-*', 'lock:order_creation_test-*', 'inventory_lock:test-*']
/** Fences and what else quorlock keeps beside a lock stay: tokens must not start again. */
const OWN = ':quorlock:'
const CONNECT_MS = 1000
const PER_SCAN = 500

export type Cleared = { node: number; cleared: string[] } | { node: number; error: string }

@Injectable()
export class TestLocksService {
  clear(): Promise<Cleared[]> {
    return Promise.all(
      settings.lockNodes.map(async (url, index) => {
        try {
          return { node: index + 1, cleared: await clearNode(url) }
        } catch (error) {
          return { node: index + 1, error: (error as Error).message }
        }
      }),
    )
  }
}

async function clearNode(url: string) {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: CONNECT_MS,
    retryStrategy: null,
  })
  client.on('error', () => {}) // of the connection; the command that needs it rejects
  try {
    await client.connect()
    const cleared: string[] = []
    for (const pattern of TEST_KEYS) {
      for await (const found of client.scanStream({ match: pattern, count: PER_SCAN })) {
        const keys = (found as string[]).filter((key) => !key.includes(OWN))
        for (const key of keys) if ((await client.del(key)) === 1) cleared.push(key)
      }
    }
    return cleared.sort()
  } finally {
    client.disconnect()
  }
}
