// Puts something up for sale.

/**
 * `items` of a variant, where there is none of that name yet: with servers of one's own, a second start finds what the first has
 * left. Resolves with the stock as the service has it; rejects with what the service answers where it refuses.
 */
export async function fill(client, { variantId, productId, items }) {
  const path = `/api/v1/inventory/${variantId}`
  const found = await client.get(path)
  if (found.status !== 404) return must(found).stock
  must(await client.post('/api/v1/inventory', { variantId, productId }))
  must(await client.post(`${path}/adjust`, { delta: items }))
  return must(await client.get(path)).stock
}

function must({ status, body }) {
  if (status !== 200) throw new Error(`the shop could not be filled: ${status} ${JSON.stringify(body)}`)
  return body
}
