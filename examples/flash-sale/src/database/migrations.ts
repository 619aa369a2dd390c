// Makes the tables before anything else starts. Several processes start at once: one makes them, the others wait, by an
// advisory lock of the very database that is changed.

import type { DataSourceOptions } from 'typeorm'
import { DataSource } from 'typeorm'

const ADVISORY_LOCK = 7_170_013

/**
 * Nothing of the service's limits: a change of a large table, and waiting for whoever makes it, take as long as they take. Who
 * waits has nothing on its way, so that keepalive does notice a machine that has vanished.
 */
const PATIENT = { connectionTimeoutMillis: 5000, keepAlive: true, keepAliveInitialDelayMillis: 10_000 }

export async function migrate(options: DataSourceOptions) {
  const database = await new DataSource({ ...options, extra: PATIENT }).initialize()
  const runner = database.createQueryRunner()
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK])
    await database.runMigrations({ transaction: 'all' })
  } finally {
    await runner.release()
    await database.destroy() // its connections end, and the advisory lock with them
  }
}
