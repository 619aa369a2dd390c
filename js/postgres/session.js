'use strict'

// The session form: the lock belongs to a connection that does nothing else, until it is unlocked or the connection
// ends. Asks without waiting: who waits inside Postgres keeps a connection for it, and the pool has few.

const TRY = 'SELECT k::text AS k, pg_try_advisory_lock(k) AS locked FROM unnest($1::bigint[]) AS k'
const UNLOCK = 'SELECT coalesce(bool_and(pg_advisory_unlock(k)), true) AS unlocked FROM unnest($1::bigint[]) AS k'

const showsClient = false

/** @returns {Promise<boolean>} all or none; the connection is ours only when it is true */
async function take(connection, numbers) {
  try {
    const { rows } = await connection.query(TRY, [numbers])
    const taken = rows.filter(({ locked }) => locked).map(({ k }) => k)
    if (taken.length === numbers.length) return true
    if (taken.length > 0) await connection.query(UNLOCK, [taken])
    connection.giveBack()
    return false
  } catch (error) {
    connection.destroy()
    throw error
  }
}

/** Whether the connection, and with it the lock, is still there. */
const check = (connection) => connection.query('SELECT 1')

/** @returns {Promise<'released' | 'expired'>} rejects where nobody can tell; the lock is gone or going in any case */
async function finish(connection, numbers) {
  try {
    const { rows } = await connection.query(UNLOCK, [numbers])
    connection.giveBack()
    return rows[0].unlocked ? 'released' : 'expired'
  } catch (error) {
    connection.destroy()
    throw error
  }
}

/** Of a lock that is lost: the same, and nobody is told. */
const drop = (connection, numbers) => finish(connection, numbers).catch(() => {})

module.exports = { take, check, finish, drop, cancel: drop, showsClient }
