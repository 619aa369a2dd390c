// What the database says, straight from it.

import pg from 'pg'

export function openBooks(url, variantId) {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => {}) // of an idle connection; the next query makes another
  const rows = async (text, values = []) => (await pool.query(text, values)).rows

  return {
    async stock() {
      const [{ stock }] = await rows('SELECT stock FROM variants WHERE id = $1', [variantId])
      return stock
    },

    orders: () =>
      rows('SELECT id, user_id AS "userId", quantity, status, degraded FROM orders WHERE variant_id = $1', [variantId]),

    /** How many have been sold while the fallback gave the product's lock. */
    async soldByFallback() {
      const text = 'SELECT count(*)::int AS sold FROM orders WHERE variant_id = $1 AND degraded'
      const [{ sold }] = await rows(text, [variantId])
      return sold
    },

    /** In the order in which they were written: the row's lock lets one in at a time. */
    movements: () =>
      rows(
        `SELECT kind, delta, stock_after AS "stockAfter", token::float8 AS token, order_id AS "orderId"
           FROM stock_movements WHERE variant_id = $1 ORDER BY id`,
        [variantId],
      ),

    confirmations: () =>
      rows(
        'SELECT order_id AS "orderId" FROM confirmations JOIN orders ON orders.id = order_id WHERE variant_id = $1',
        [variantId],
      ),

    close: () => pool.end(),
  }
}
