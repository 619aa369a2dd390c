// Postgres. The fence is a column of the row that it protects. An UPDATE waits for whoever changes the row at that
// moment and looks at its condition again afterwards, so that comparing and writing are one step.

import pg from 'pg'
import { MissingItemError, StaleTokenError } from './errors.mjs'
import { checkToken } from './token.mjs'

export function open(url) {
  const db = new pg.Pool({ connectionString: url })
  db.on('error', () => {}) // of an idle connection; the next query makes another

  async function refusal(id, token) {
    const { rows } = await db.query('SELECT fence FROM fenced_items WHERE id = $1', [id])
    // bigint comes as text; tokens are below 2^53
    return rows.length === 0 ? new MissingItemError(id) : new StaleTokenError(id, token, Number(rows[0].fence))
  }

  return {
    fenced: {
      /** The row sees the token here already: from now on nobody with a smaller one can write. */
      async read(id, token) {
        checkToken(token)
        const claim = 'UPDATE fenced_items SET fence = $2 WHERE id = $1 AND fence <= $2 RETURNING value'
        const { rows } = await db.query(claim, [id, token])
        if (rows.length === 0) throw await refusal(id, token)
        return { id, value: rows[0].value }
      },

      /** `<=`, since one holder may write often. */
      async write({ id, value }, token) {
        checkToken(token)
        const update = 'UPDATE fenced_items SET value = $3, fence = $2 WHERE id = $1 AND fence <= $2'
        const { rowCount } = await db.query(update, [id, token, value])
        if (rowCount === 0) throw await refusal(id, token)
      },
    },

    unfenced: {
      async read(id) {
        const { rows } = await db.query('SELECT value FROM fenced_items WHERE id = $1', [id])
        if (rows.length === 0) throw new MissingItemError(id)
        return { id, value: rows[0].value }
      },

      async write({ id, value }) {
        const { rowCount } = await db.query('UPDATE fenced_items SET value = $2 WHERE id = $1', [id, value])
        if (rowCount === 0) throw new MissingItemError(id)
      },
    },

    async create({ id, value }) {
      await db.query(`CREATE TABLE IF NOT EXISTS fenced_items (
        id text PRIMARY KEY,
        value integer NOT NULL,
        fence bigint NOT NULL DEFAULT 0
      )`)
      await db.query('INSERT INTO fenced_items (id, value) VALUES ($1, $2)', [id, value])
    },

    close: () => db.end(),
  }
}
