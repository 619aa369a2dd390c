// docs/metrics.md: its examples run, and its table has the metrics that there are.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { pathToFileURL } = require('node:url')
const { promisify } = require('node:util')
const { recorded, sampled } = require('../../js/metrics/figures')

const run = promisify(execFile)
const root = path.join(__dirname, '..', '..')
const text = fs.readFileSync(path.join(root, 'docs', 'metrics.md'), 'utf8')
const examples = [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code)

describe('docs/metrics.md', () => {
  test('has examples', () => assert.equal(examples.length, 4))

  for (const [i, code] of examples.entries()) {
    test(`example ${i + 1} runs as it stands`, async () => {
      // From the file system as it is here, without installing: only the addresses are other ones.
      const here = code
        .replaceAll("'quorlock'", JSON.stringify(pathToFileURL(path.join(root, 'index.mjs'))))
        .replaceAll("'quorlock/metrics'", JSON.stringify(pathToFileURL(path.join(root, 'metrics', 'index.mjs'))))
        .replaceAll(/observeWithProm\(\{ /g, 'observeWithProm({ client, ')
      const client = code.includes("from 'prom-client'") ? '' : "import client from 'prom-client'\n"
      const args = ['--input-type=module', '-e', client + here]
      const { stdout, stderr } = await run(process.execPath, args, { cwd: __dirname })
      assert.equal(stderr, '')
      if (code.includes('register.metrics()')) assert.match(stdout, /acquire_seconds_count.*key_class="order"/)
      if (code.includes('subscribe')) assert.match(stdout, /^lock:report: acquired after \d+ ms\n$/)
    })
  }

  test('lists each metric with its names and labels', () => {
    const rows = [...text.matchAll(/^\| `(\w+)` \| `(quorlock\.[\w.]+)` \| (.+?) \| .+? \| (.*?) \|/gm)]
    const listed = rows.map(([, prom, otel, type, labels]) => ({
      prom,
      otel,
      type: type.split(' ')[0],
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
    }))
    const types = { Histogram: 'histogram', Counter: 'counter', UpDownCounter: 'gauge', Gauge: 'gauge' }
    const wanted = [...Object.values(recorded), ...sampled].map(({ prom, otel, kind, labels = [] }) => ({
      prom,
      otel,
      type: types[kind],
      labels: labels.filter((label) => label !== 'redlock'),
    }))
    assert.deepEqual(listed, wanted)
  })
})
