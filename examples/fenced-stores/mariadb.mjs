// MariaDB and MySQL. The fence is a column of the row that it protects. An UPDATE locks the row and compares with what
// is committed at that moment, so that comparing and writing are one step.

import mysql from 'mysql2/promise'
import { MissingItemError, StaleTokenError } from './errors.mjs'
import { checkToken } from './token.mjs'

export function open(url) {
  // FOUND_ROWS: affectedRows counts the rows that match. A write that changes nothing, since the holder writes the same
  // again, would otherwise look like a refusal. Here it is the default, in other clients it is not.
  const db = mysql.createPool({ uri: url, flags: ['+FOUND_ROWS'] })

  async function refusal(id, token) {
    const [rows] = await db.execute('SELECT fence FROM fenced_items WHERE id = ?', [id])
    return rows.length === 0 ? new MissingItemError(id) : new StaleTokenError(id, token, rows[0].fence)
  }

  return {
    fenced: {
      /** The row sees the token here already: from now on nobody with a smaller one can write. */
      async read(id, token) {
        checkToken(token)
        const claim = 'UPDATE fenced_items SET fence = ? WHERE id = ? AND fence <= ?'
        const [{ affectedRows }] = await db.execute(claim, [token, id, token])
        if (affectedRows === 0) throw await refusal(id, token)
        // UPDATE returns no values. Nobody but a later holder can have come in between.
        const [rows] = await db.execute('SELECT value FROM fenced_items WHERE id = ? AND fence = ?', [id, token])
        if (rows.length === 0) throw await refusal(id, token)
        return { id, value: rows[0].value }
      },

      /** `<=`, since one holder may write often. */
      async write({ id, value }, token) {
        checkToken(token)
        const update = 'UPDATE fenced_items SET value = ?, fence = ? WHERE id = ? AND fence <= ?'
        const [{ affectedRows }] = await db.execute(update, [value, token, id, token])
        if (affectedRows === 0) throw await refusal(id, token)
      },
    },

    unfenced: {
      async read(id) {
        const [rows] = await db.execute('SELECT value FROM fenced_items WHERE id = ?', [id])
        if (rows.length === 0) throw new MissingItemError(id)
        return { id, value: rows[0].value }
      },

      async write({ id, value }) {
        const [{ affectedRows }] = await db.execute('UPDATE fenced_items SET value = ? WHERE id = ?', [value, id])
        if (affectedRows === 0) throw new MissingItemError(id)
      },
    },

    async create({ id, value }) {
      await db.query(`CREATE TABLE IF NOT EXISTS fenced_items (
        id varchar(255) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
        value integer NOT NULL,
        fence bigint NOT NULL DEFAULT 0
      ) ENGINE = InnoDB`)
      await db.execute('INSERT INTO fenced_items (id, value) VALUES (?, ?)', [id, value])
    },

    close: () => db.end(),
  }
}
