'use strict'

// The report as a browser draws it: the marks stand where the data says.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { before, test } = require('node:test')
const assert = require('node:assert/strict')
const { Chromium, findChromium } = require('../support/chromium')
const { load } = require('./shop')

const ITEMS = 4
const skip = findChromium() ? false : 'there is no Chromium'
let writeReport

before(async () => {
  writeReport = (await load('report/report.mjs')).writeReport
})

/** A short sale: four sold, one every two seconds, from the second on; nothing between 3 and 5 s. */
function journal() {
  const at = [2000, 3000, 6000, 8000]
  return {
    sales: at.map((time, i) => ({ at: time, orderId: String(i), buyer: i, wait: time / 2, degraded: i === 2 })),
    answers: [
      ...at.map((time) => ({ at: time, status: 201, ms: 5 })),
      ...[3100, 3200, 4000].map((time) => ({ at: time, status: 503, ms: 5 })),
      ...[9000, 9100].map((time) => ({ at: time, status: 409, code: 'SOLD_OUT', ms: 5 })),
      { at: 9900, status: 429, ms: 5 },
    ],
    stock: [
      { at: 0, stock: 4 },
      { at: 9900, stock: 0 },
    ],
    faults: [{ name: 'nodes <stopped>', from: 3000, to: 5000, soldFrom: 2, soldTo: 2 }],
  }
}

async function open(t, checks) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-report-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'deeper', 'report.html')
  const figures = { answers: [['201', 4]] }
  await writeReport(file, { journal: journal(), figures, checks, buyers: 9, items: ITEMS, processes: 3 })
  const browser = await Chromium.start(t)
  const url = pathToFileURL(file).href
  return { url, page: await browser.open(url) }
}

test('sales, answers, waits and faults are drawn where they belong, with nothing from elsewhere', {
  skip,
}, async (t) => {
  const { url, page } = await open(t, [{ name: 'sold', ok: true, found: '4' }])
  assert.deepEqual(page.errors, [])
  assert.deepEqual(page.requests, [url])
  const box = (selector) =>
    page.evaluate(`(() => {
      const shown = [...document.querySelectorAll(${JSON.stringify(selector)})].map((e) => e.getBoundingClientRect())
      return shown.map(({ left, right, top, bottom, width, height }) => ({ left, right, top, bottom, width, height }))
    })()`)

  // The scale of the drawing, from the axis: 10 s from the first line of the grid to the last.
  const [fault] = await box('#chart-sales .fault rect')
  const perSecond = fault.width / 2
  const zero = fault.left - 3 * perSecond
  const second = (x) => Math.round(((x - zero) / perSecond) * 10) / 10
  const points = await page.evaluate(`(() => {
    const line = document.getElementById('line-sold')
    const matrix = line.getScreenCTM()
    return line.getAttribute('d').match(/[\\d.]+ [\\d.]+/g).map((pair) => {
      const [x, y] = pair.split(' ').map(Number)
      const { x: left, y: top } = new DOMPoint(x, y).matrixTransform(matrix)
      return { left, top }
    })
  })()`)
  assert.deepEqual(
    points.map(({ left }) => second(left)),
    [0, 2, 3, 6, 8],
  )
  const rise = points[0].top - points[1].top
  assert.ok(rise > 5)
  points.slice(1).forEach(({ top }, i) => {
    assert.ok(Math.abs(points[0].top - top - rise * (i + 1)) < 1, 'each sale is as high as the others')
  })

  const waits = await box('#chart-waits circle.wait')
  assert.deepEqual(
    waits.map(({ left, right }) => second((left + right) / 2)),
    [2, 3, 6, 8],
  )
  assert.ok(
    waits.every(({ top }, i) => i === 0 || top < waits[i - 1].top),
    'who waited longer stands higher',
  )
  const degraded = await box('#chart-waits circle.degraded')
  assert.deepEqual(
    degraded.map(({ left, right }) => second((left + right) / 2)),
    [6],
  )

  const bars = await box('#chart-answers .bar.k503')
  assert.deepEqual(
    bars.map(({ left }) => second(left)),
    [3, 4],
  )
  const [two, one] = bars
  assert.ok(Math.abs(two.height - 2 * one.height) < 1)

  const text = await page.evaluate('document.body.innerText')
  assert.match(text, /All checks hold/)
  assert.match(text, /nodes <stopped>\s+3\.0 s\s+5\.0 s\s+2 to 2/)
  const { series } = await page.evaluate(`JSON.parse(document.getElementById('data').textContent)`)
  assert.deepEqual(series.sold.at(-1), [8, ITEMS])
})

test('a check that failed is what one reads first', { skip }, async (t) => {
  const { page } = await open(t, [
    { name: 'sold', ok: true, found: '4' },
    { name: 'no order twice', ok: false, found: '1' },
  ])
  assert.equal(await page.evaluate(`document.getElementById('verdict').innerText`), '1 of 2 checks failed')
  assert.match(await page.evaluate(`document.getElementById('checks').innerText`), /✖\s+no order twice\s+1/)
})
