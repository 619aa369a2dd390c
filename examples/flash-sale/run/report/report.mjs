// One HTML file without anything from elsewhere: the checks, the figures, and charts as SVG.

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { chart, line } from './chart.mjs'
import { seriesOf } from './series.mjs'
import { style } from './style.mjs'
import { element, escaped } from './svg.mjs'

const KINDS = ['accepted', '409', '429', '503', 'other']

export async function writeReport(file, { journal, figures, checks, buyers, items, processes }) {
  const series = seriesOf(journal)
  const failed = checks.filter(({ ok }) => !ok).length
  const body = [
    element('h1', {}, 'Flash sale'),
    element('p', {}, `${buyers} buyers, ${items} items, ${processes} application processes, 3 lock nodes.`),
    element(
      'p',
      { id: 'verdict', class: failed ? 'bad' : 'good' },
      failed ? `${failed} of ${checks.length} checks failed` : 'All checks hold',
    ),
    salesChart(series, items),
    answersChart(series),
    waitsChart(series),
    element('h2', {}, 'What was broken'),
    table('faults', ['', 'what', 'from', 'to', 'sold'], faultRows(series.faults)),
    element('h2', {}, 'What must hold'),
    table(
      'checks',
      ['', 'check', 'found'],
      checks.map(({ name, ok, found }) => [ok ? '✔' : '✖', name, found]),
    ),
    element('h2', {}, 'Answers'),
    table('answers', ['answer', 'how often'], figures.answers),
  ]
  const html = [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><title>Flash sale</title>',
    `<style>${style}</style></head><body>`,
    ...body,
    `<script type="application/json" id="data">${JSON.stringify({ series, checks }).replaceAll('<', '\\u003c')}</script>`,
    '</body></html>\n',
  ]
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, html.join('\n'))
}

function salesChart({ seconds, faults, sold, stock }, items) {
  const draw = (scales) => [
    line(stock, scales, { class: 'line stock', id: 'line-stock' }),
    line(sold, scales, { class: 'line accepted', id: 'line-sold' }),
  ]
  return chart({
    id: 'chart-sales',
    title: 'Sold (line), and left in stock (dashes)',
    seconds,
    top: items,
    faults,
    draw,
  })
}

function answersChart({ seconds, faults, answers }) {
  const totals = answers.accepted.map((_, bin) => KINDS.reduce((sum, kind) => sum + answers[kind][bin], 0))
  const draw = ({ x, y }) =>
    totals.map((_, bin) => {
      let below = 0
      return KINDS.filter((kind) => answers[kind][bin] > 0).map((kind) => {
        const value = answers[kind][bin]
        const top = y(below + value)
        const height = y(below) - top
        below += value
        const width = Math.max(1, x(1) - x(0) - 1)
        return element('rect', { class: `bar k${kind}`, x: x(bin), y: top, width, height, 'data-value': value })
      })
    })
  const title = 'Answers per second'
  const legend = KINDS.map((kind) => [`k${kind}`, kind])
  return chart({ id: 'chart-answers', title, legend, seconds, top: Math.max(1, ...totals), faults, draw })
}

function waitsChart({ seconds, faults, waits, degraded }) {
  const draw = ({ x, y }) =>
    waits.map(([second, wait], i) =>
      element('circle', { class: degraded[i] ? 'wait degraded' : 'wait', cx: x(second), cy: y(wait), r: 2.5 }),
    )
  const top = Math.max(1, ...waits.map(([, wait]) => wait))
  const title = 'Seconds from coming to having bought, by the locks of'
  const legend = [
    ['wait', 'nodes'],
    ['wait degraded', 'fallback'],
  ]
  return chart({ id: 'chart-waits', title, legend, seconds, top, faults, draw })
}

function faultRows(faults) {
  return faults.map(({ name, from, to, soldFrom, soldTo }, index) => [
    index + 1,
    name,
    `${from.toFixed(1)} s`,
    `${to.toFixed(1)} s`,
    `${soldFrom} to ${soldTo ?? '?'}`,
  ])
}

function table(id, head, rows) {
  const row = (cell) => (cells) =>
    element(
      'tr',
      {},
      cells.map((words) => element(cell, {}, escaped(words))),
    )
  return element('table', { id }, element('thead', {}, row('th')(head)), element('tbody', {}, rows.map(row('td'))))
}
