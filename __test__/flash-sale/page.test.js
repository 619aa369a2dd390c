'use strict'

// The page, in a browser, while a sale runs: stock, orders, locks and nodes as they change.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Chromium, findChromium } = require('../support/chromium')
const { until } = require('../support/until')
const { request, useShop } = require('./shop')

const LIMIT = { deadline: 60_000, every: 50 }
const STOCK = 12
const skip = findChromium() ? false : 'there is no Chromium'
const shop = useShop({ processes: 1, env: { NODE_ENV: 'test', PAYMENT_MS: '500', ORDER_WAIT_MS: '30000' } })

test('a sale runs, a node is killed, then the quorum stopped, the service is restarted: the page shows it', {
  skip,
}, async (t) => {
  const { variantId, productId } = await shop.variant(STOCK)
  const browser = await Chromium.start(t)
  const page = await browser.open(`${shop.url}/`)
  const text = (id) => page.evaluate(`document.getElementById('${id}').innerText`)
  const shows = (id, pattern) =>
    until(async () => pattern.test(await text(id)), { ...LIMIT, what: `${id}: ${pattern}` })
  const node = (i) => `${shop.nodes[i].url.slice('redis://'.length)}`

  await shows('state', new RegExp(`^live, from process ${shop.applications[0].pid}$`))
  await shows('stock', new RegExp(`^${variantId}\\s+${STOCK}$`, 'm'))
  for (let i = 0; i < 3; i++) await shows('nodes', new RegExp(`^${node(i)}\\s+up\\s+up$`, 'm'))

  const sale = Promise.all(Array.from({ length: STOCK }, () => shop.order({ variantId })))
  await shows('locks', new RegExp(`^lock:product:${productId}\\s+custom\\s+the nodes\\s+\\d+ ms\\s+[1-9]\\d*$`, 'm'))
  await shows('waits', new RegExp(`^lock:product:${productId}\\s+custom\\s+[1-9]\\d*$`, 'm'))
  await shows('waiting', /^[1-9]/)
  await shows('rate', /^[1-9.]/)
  await shows('stock', new RegExp(`^${variantId}\\s+[1-9]$`, 'm'))

  await shop.nodes[1].kill()
  await shows('nodes', new RegExp(`^${node(1)}\\s+down\\s+down$`, 'm'))
  assert.match(await text('nodes'), new RegExp(`^${node(0)}\\s+up\\s+up$`, 'm'))
  assert.ok((await sale).every(({ status }) => status === 201))
  await shows('stock', new RegExp(`^${variantId}\\s+0$`, 'm'))
  await shows('orders', new RegExp(`^${STOCK}$`))
  const drawn = await page.evaluate(`document.getElementById('history').getAttribute('points').split(' ').length`)
  assert.ok(drawn > 3)

  await shop.nodes[1].launch()
  await shows('nodes', new RegExp(`^${node(1)}\\s+quarantined\\s+quarantined$`, 'm'))

  await shows(
    'layer',
    /without tokens come from the nodes \(breaker closed\), .+ tokens from the nodes \(breaker closed\); 0 of 8/,
  )
  for (const i of [0, 2]) shop.nodes[i].suspend()
  const { variantId: other, productId: otherProduct } = await shop.variant(0)
  const stocked = await until(async () => {
    const answer = await shop.adjust(other, 2)
    return answer.status === 200 && answer
  }, LIMIT)
  assert.deepEqual(stocked.body, { variantId: other, stock: 2 })
  const buy = (order) => until(async () => (await shop.order(order)).status < 300, LIMIT)
  const buyers = Array.from({ length: 2 }, () => request(other))
  const bought = Promise.all(buyers.map(buy))
  await shows('locks', new RegExp(`^lock:product:${otherProduct}\\s+custom\\s+the fallback\\s+\\d+ ms\\s+1$`, 'm'))
  await shows('layer', /without tokens come from the fallback \(breaker \w+\)/)
  await shows('layer', /; [1-9] of 8 connections/)
  await bought
  await shows('layer', /with tokens from the fallback \(breaker \w+\)/)
  assert.equal(await page.evaluate(`document.getElementById('layer').className`), 'away')
  for (const i of [0, 2]) shop.nodes[i].continue()
  await shows('nodes', new RegExp(`^${node(2)}\\s+up\\s+up$`, 'm'))

  const [application] = shop.applications
  await shop.sql('ALTER TABLE variants RENAME TO gone')
  await shows('state', /^live, from process \d+; no news of stock and orders since \d.*: the database does not answer$/)
  assert.match(await text('stock'), new RegExp(`^${variantId}\\s+0$`, 'm'), 'what was seen last stays')
  await shop.sql('ALTER TABLE gone RENAME TO variants')
  await shows('state', /^live, from process \d+$/)
  process.kill(application.pid, 'SIGSTOP')
  await shows('state', /^no news since \d/)
  process.kill(application.pid, 'SIGCONT')
  await shows('state', /^live, from process \d+$/)

  assert.equal(await application.stop(), 0, 'a page that is open keeps no process from ending')
  await shows('state', /does not answer/)
  const asked = () => page.requests.filter((url) => url.endsWith('/live')).length
  const before = asked()
  await until(() => asked() >= before + 2, { ...LIMIT, what: 'it asks again after a 503' })
  await application.start()
  await shows('state', new RegExp(`^live, from process ${application.pid}$`))

  assert.deepEqual(page.errors, [])
  const elsewhere = page.requests.filter((url) => !url.startsWith(shop.url) && !url.startsWith('data:'))
  assert.deepEqual(elsewhere, [])
})
