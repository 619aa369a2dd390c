'use strict'

// The load run as a user starts it, in the size of CI: every fault, every check, the report; and nothing left behind.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Chromium, findChromium } = require('../support/chromium')
const { launch, nothingIsLeft } = require('../support/launched')
const { until } = require('../support/until')
const { readReport } = require('./drawn')
const { FOLDER, load } = require('./shop')

const MAIN = path.join(FOLDER, 'run', 'main.mjs')
const BUYERS = 300
const ITEMS = 40
const skip = findChromium() ? false : 'there is no Chromium'

/** What stands on a chart is what the data says, as exactly as a place on it can be told. */
function sameMarks(drawn, expected, name, [seconds, values]) {
  assert.equal(drawn.length, expected.length, name)
  drawn.forEach(([second, value], i) => {
    const [wantedSecond, wantedValue] = expected[i]
    const isSame = Math.abs(second - wantedSecond) <= seconds / 1000 && Math.abs(value - wantedValue) <= values / 1000
    assert.ok(isSame, `${name}: ${second}, ${value} is drawn for ${wantedSecond}, ${wantedValue}`)
  })
}

test('a sale in which everything breaks once sells exactly what there is, and the report shows it', async (t) => {
  await load('load/run.mjs') // says so where the example is not built
  const reports = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-report-'))
  t.after(() => fs.rmSync(reports, { recursive: true, force: true }))
  const report = path.join(reports, 'report.html')
  const { child, folder } = launch(t, MAIN, '--load', '--buyers', BUYERS, '--items', ITEMS, '--report', report)
  const { code, stdout, stderr } = await child.ended
  assert.equal(code, 0, stdout + stderr)
  assert.equal(stderr, '')
  assert.match(stdout, new RegExp(` ✔ exactly ${ITEMS} sold +${ITEMS}\n`))
  assert.doesNotMatch(stdout, /✖/)
  for (const status of ['201 +40', '409 SOLD_OUT']) assert.match(stdout, new RegExp(`^ +${status}`, 'm'))
  const [, byNodes, byFallback] = stdout.match(/^ +sold by the nodes \/ by the fallback +(\d+) \/ (\d+)$/m)
  assert.equal(Number(byNodes) + Number(byFallback), ITEMS)
  assert.ok(byNodes > 0 && byFallback > 0)
  assert.match(stdout, new RegExp(` ✔ some sold by the fallback +${byFallback}; [1-9]`))
  await nothingIsLeft(folder)

  const html = fs.readFileSync(report, 'utf8')
  assert.doesNotMatch(html, /(src|href)=|url\(|https?:/i, 'nothing from elsewhere')
  const { series, checks } = JSON.parse(html.match(/<script type="application\/json" id="data">(.+)<\/script>/)[1])
  assert.ok(checks.length >= 10 && checks.every(({ ok }) => ok))
  assert.equal(series.sold.at(-1)[1], ITEMS)
  assert.equal(series.answers.accepted.reduce((sum, n) => sum + n, 0) >= ITEMS, true)
  assert.equal(series.faults.length, 4)
  const stopped = series.faults.at(-1)
  assert.ok(stopped.name === 'all lock nodes stopped' && stopped.to - stopped.from >= 5)
  assert.ok(stopped.soldTo > stopped.soldFrom, 'the sale goes on')
  assert.equal(series.degraded.filter(Boolean).length, Number(byFallback))

  assert.equal(html.match(/<circle class="wait"/g).length, Number(byNodes))
  assert.equal(html.match(/<circle class="wait degraded"/g).length, Number(byFallback))
  assert.equal(html.match(/id="line-sold"[^>]* data-points="(\d+)"/)[1], String(series.sold.length))
  assert.equal(html.match(/<g class="fault"/g).length, 3 * 4, 'four faults on each of three charts')

  await t.test('in a browser, every mark stands where the data says', { skip }, async (t) => {
    const browser = await Chromium.start(t)
    const page = await browser.open(pathToFileURL(report).href)
    assert.deepEqual(page.errors, [])
    const { drawn, series: data } = await readReport(page)
    assert.deepEqual(data, series)
    const { seconds } = series
    sameMarks(drawn.sold, series.sold, 'sold', [seconds, ITEMS])
    sameMarks(drawn.stock, series.stock, 'stock', [seconds, ITEMS])
    const longest = Math.max(...series.waits.map(([, wait]) => wait))
    sameMarks(drawn.waits, series.waits, 'waits', [seconds, longest])
    const ofFallback = series.waits.filter((_, i) => series.degraded[i])
    sameMarks(drawn.degraded, ofFallback, 'by the fallback', [seconds, longest])
    const most = Math.max(
      ...series.answers.accepted.map((_, bin) =>
        Object.values(series.answers).reduce((sum, bins) => sum + bins[bin], 0),
      ),
    )
    for (const [kind, bins] of Object.entries(series.answers)) {
      const filled = bins.flatMap((count, second) => (count > 0 ? [[second, count]] : []))
      sameMarks(drawn.answers[kind], filled, `answers ${kind}`, [seconds, most])
    }
    for (const faults of drawn.faults) {
      const asMarks = (list) => list.map(({ from, to }) => [from, to])
      assert.deepEqual(
        faults.map(({ name }) => name),
        series.faults.map(({ name }) => name),
      )
      sameMarks(asMarks(faults), asMarks(series.faults), 'faults', [seconds, seconds])
    }
  })
})

test('ended in the middle of a sale, it leaves nothing behind', async (t) => {
  const { child, folder } = launch(t, MAIN, '--load', '--buyers', '50', '--items', '40')
  await until(() => child.stdout.includes('lock node 1 is killed'), { deadline: 120_000, every: 50 })
  child.kill('SIGTERM')
  assert.equal((await child.ended).code, 143)
  await nothingIsLeft(folder)
})

test('what it cannot do it says, before it starts anything', async (t) => {
  for (const [args, message] of [
    [['--items', 'many'], '--items must be a whole number from 1 to 100000, not many'],
    [['--load', '--processes', '1'], '--processes must be a whole number from 2 to 3, not 1'],
    [['--processes', '4'], '--processes must be a whole number from 1 to 3, not 4'],
    [['--load', '--buyers', '99'], '--buyers must be a whole number from 100 to 5000, not 99'],
    [['--speed', '7'], "Unknown option '--speed'"],
  ]) {
    const { child, folder } = launch(t, MAIN, ...args)
    const { code, stdout, stderr } = await child.ended
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.ok(stderr.startsWith(message), stderr)
    await nothingIsLeft(folder)
  }
})
