'use strict'

// The transaction form: the lock belongs to a transaction, which the holder writes in. It ends by commit or rollback,
// and what was written without the lock cannot come to be: a connection that breaks takes its writes with it.

// A statement after the lock must see what the last holder has committed, hence not REPEATABLE READ: its snapshot would
// be older than the lock.
const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED'
const TRY = 'SELECT bool_and(pg_try_advisory_xact_lock(k)) AS locked FROM unnest($1::bigint[]) AS k'

const showsClient = true

/** @returns {Promise<boolean>} all or none; the connection is ours only when it is true */
async function take(connection, numbers) {
  try {
    await connection.query(BEGIN)
    const { rows } = await connection.query(TRY, [numbers])
    if (rows[0].locked) return true
    await connection.query('ROLLBACK')
    connection.giveBack()
    return false
  } catch (error) {
    connection.destroy()
    throw error
  }
}

/** The holder's statements go over the same connection: what breaks it, they notice. Asking would wait behind them. */
const check = () => Promise.resolve()

/**
 * Commits. Postgres answers ROLLBACK to a COMMIT after a statement that has failed, whoever has caught that error.
 *
 * @returns {Promise<'released' | 'expired'>} rejects with what kept it from being committed
 */
async function finish(connection) {
  try {
    const { command } = await connection.query('COMMIT')
    connection.giveBack()
    return command === 'COMMIT' ? 'released' : 'expired'
  } catch (error) {
    connection.destroy()
    throw error
  }
}

/** Rolls back. */
async function cancel(connection) {
  try {
    await connection.query('ROLLBACK')
    connection.giveBack()
  } catch {
    connection.destroy()
  }
}

/** Of a lock that is lost: the holder may be in the middle of a statement, which must not be waited for. */
const drop = (connection) => connection.destroy()

module.exports = { take, check, finish, drop, cancel, showsClient }
